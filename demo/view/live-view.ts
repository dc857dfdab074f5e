import {renderLine, renderView} from '#demo/view/render-view.ts';
import type {DemoSnapshot} from '#demo/watch/watch-boxes.ts';

const lineIntervalMs = 3000;
const columnsDefault = 80;

const controlSequence = '\u001B[';

export type LiveView = Disposable & {
	show(snapshot: DemoSnapshot): void;
	/** A line that stays, above what is redrawn. */
	note(line: string): void;
};

type Output = Pick<NodeJS.WriteStream, 'write'> & {readonly isTTY?: boolean; readonly columns?: number};

/** Redraws in place on a terminal; elsewhere it writes a line every few seconds. */
export const createLiveView = (output: Output): LiveView => {
	let drawnLines = 0;
	let lastLineMs = Number.NEGATIVE_INFINITY;
	let last: DemoSnapshot | undefined;
	const clear = (): string => (drawnLines === 0 ? '' : `${controlSequence}${drawnLines}A${controlSequence}J`);
	const draw = (): void => {
		if (last === undefined) {
			return;
		}
		const lines = renderView(last, (output.columns ?? columnsDefault) - 1);
		output.write(`${clear()}${lines.join('\n')}\n`);
		drawnLines = lines.length;
	};
	return {
		show: (snapshot) => {
			last = snapshot;
			if (output.isTTY === true) {
				draw();
			} else if (performance.now() - lastLineMs >= lineIntervalMs) {
				lastLineMs = performance.now();
				output.write(`${renderLine(snapshot)}\n`);
			}
		},
		note: (line) => {
			output.write(`${clear()}${line}\n`);
			drawnLines = 0;
			if (output.isTTY === true) {
				draw();
			}
		},
		[Symbol.dispose]: () => {
			drawnLines = 0;
			last = undefined;
		},
	};
};
