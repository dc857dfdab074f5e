import type {JSX} from 'preact';
import {formatCount} from '../format/format-number.ts';
import type {Tone} from './badge.tsx';

export type BarPart = {readonly label: string; readonly count: number; readonly tone: Tone};

/** Shares of a whole, side by side. Parts that are nothing take no room, in the legend as well. */
export const Bar = ({
	parts,
	label,
	legend = true,
}: {
	readonly parts: readonly BarPart[];
	readonly label: string;
	readonly legend?: boolean;
}): JSX.Element => {
	const shown = parts.filter(({count}) => count > 0);
	return (
		<div>
			<div
				class="bar"
				role="img"
				aria-label={`${label}: ${shown.map((part) => `${part.count} ${part.label}`).join(', ') || 'none'}`}
			>
				{shown.map((part) => (
					<i
						key={part.label}
						data-tone={part.tone}
						style={{flexGrow: part.count}}
						title={`${part.label}: ${formatCount(part.count)}`}
					/>
				))}
			</div>
			{legend && (
				<div class="legend" aria-hidden="true">
					{shown.map((part) => (
						<span key={part.label} class="key" data-tone={part.tone}>
							{part.label} {formatCount(part.count)}
						</span>
					))}
				</div>
			)}
		</div>
	);
};
