import { type CSSProperties, useId } from 'react';

export interface SliderProps {
  readonly label: string;
  /** The value as it is read and said. */
  readonly words: string;
  readonly unit: string;
  /** Which of the `places` it stands at, the first being 0. */
  readonly place: number;
  readonly places: number;
  readonly onPlace: (place: number) => void;
}

/** A setting with a few places to stand at. */
export function Slider({ label, words, unit, place, places, onPlace }: SliderProps) {
  const id = useId();
  const share = places < 2 ? 1 : place / (places - 1);
  return (
    <div>
      <div className="flex items-baseline gap-1.5">
        <label htmlFor={id} className="mr-auto">
          {label}
        </label>
        <b>{words}</b>
        <span className="text-mute text-sm">{unit}</span>
      </div>
      <input
        id={id}
        type="range"
        min={0}
        max={Math.max(1, places - 1)}
        step={1}
        value={place}
        disabled={places < 2}
        aria-valuetext={`${words} ${unit}`}
        onChange={(event) => onPlace(Number(event.target.value))}
        className="slider"
        // React's type of a style knows no custom properties.
        style={{ '--filled': `calc(9px + ${share} * (100% - 18px))` } as CSSProperties}
      />
    </div>
  );
}
