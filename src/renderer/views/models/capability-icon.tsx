import {
  AudioLines,
  Braces,
  Brain,
  Code,
  DatabaseZap,
  FileJson,
  FileText,
  Image,
  ImagePlus,
  Layers,
  Library,
  ListOrdered,
  ListTree,
  type LucideIcon,
  MessageSquareText,
  Radio,
  ScanText,
  ShieldCheck,
  Sigma,
  TextCursorInput,
  Type,
  Video,
  Waypoints,
  Wrench,
} from 'lucide-react';
import type { Capability } from '../../../shared/capabilities.ts';

const ICONS: Readonly<Record<Capability, LucideIcon>> = {
  text_input: TextCursorInput,
  image_input: Image,
  audio_input: AudioLines,
  video_input: Video,
  document_input: FileText,
  text_output: Type,
  image_output: ImagePlus,
  structured_output: Braces,
  function_calling: Wrench,
  json_mode: FileJson,
  streaming: Radio,
  batch: Layers,
  large_context: ScanText,
  extra_large_context: Library,
  prompt_caching: DatabaseZap,
  extended_thinking: Brain,
  chain_of_thought: ListTree,
  code: Code,
  maths: Sigma,
  embeddings: Waypoints,
  rerank: ListOrdered,
  system_messages: MessageSquareText,
  content_filtering: ShieldCheck,
};

/** A picture of a capability. It says nothing by itself: its words are always near, or its text alternative. */
export function CapabilityIcon(props: { readonly of: Capability; readonly className?: string }) {
  const Icon = ICONS[props.of];
  return <Icon aria-hidden className={`size-3.5 shrink-0 ${props.className ?? ''}`} />;
}
