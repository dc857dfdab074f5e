import type {FlashOutcome} from '#image/flash/flash-image.ts';
import type {FlashProgress} from '#image/flash/flash-progress.ts';

export type ProgressView = {
	readonly update: (progress: FlashProgress) => void;
	readonly end: (outcome: FlashOutcome) => void;
};

type Output = Pick<NodeJS.WriteStream, 'write'> & {readonly isTTY?: boolean};

const redrawIntervalMs = 200;
const lineIntervalMs = 5000;
const barCells = 24;

/** One line for each disk, redrawn in place on a terminal; elsewhere a line every few seconds. */
export const createProgressView = (output: Output, nowMs: () => number = () => performance.now()): ProgressView => {
	const latest = new Map<string, FlashProgress>();
	const toldMs = new Map<string, number>();
	let drawnLines = 0;
	let drawnMs = Number.NEGATIVE_INFINITY;
	const redraw = (): void => {
		output.write(drawnLines === 0 ? '' : `\u001B[${drawnLines}A`);
		output.write([...latest.values()].map((progress) => `\u001B[2K${progressText(progress)}\n`).join(''));
		drawnLines = latest.size;
	};
	return {
		update: (progress) => {
			latest.set(progress.device, progress);
			const interval = output.isTTY === true ? redrawIntervalMs : lineIntervalMs;
			const told = output.isTTY === true ? drawnMs : (toldMs.get(progress.device) ?? Number.NEGATIVE_INFINITY);
			if (nowMs() - told < interval && progress.doneBytes < progress.totalBytes) {
				return;
			}
			if (output.isTTY === true) {
				drawnMs = nowMs();
				redraw();
			} else {
				toldMs.set(progress.device, nowMs());
				output.write(`${progressText(progress)}\n`);
			}
		},
		end: (outcome) => void output.write(`${outcomeText(outcome)}\n`),
	};
};

/** The same as lines of JSON, for who drives several stations. */
export const createProgressLines = (output: Output): ProgressView => ({
	update: (progress) => void output.write(`${JSON.stringify({kind: 'progress', ...progress})}\n`),
	end: (outcome) => {
		const {error, ...facts} = {error: undefined, ...outcome};
		const fault =
			error instanceof Error ? {message: error.message, code: 'code' in error ? error.code : undefined} : undefined;
		output.write(`${JSON.stringify({...facts, ...(fault === undefined ? {} : {error: fault})})}\n`);
	},
});

const progressText = ({device, doneBytes, totalBytes, bytesPerSecond, secondsLeft}: FlashProgress): string => {
	const ratio = totalBytes === 0 ? 1 : doneBytes / totalBytes;
	const bar = '#'.repeat(Math.round(ratio * barCells)).padEnd(barCells);
	const left = secondsLeft === undefined ? '' : `, ${durationText(secondsLeft)} left`;
	const rate = `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
	return `${device} [${bar}] ${String(Math.floor(ratio * 100)).padStart(3)} %  ${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB, ${rate}${left}`;
};

const outcomeText = (outcome: FlashOutcome): string => {
	if (outcome.kind === 'failed') {
		const message = outcome.error instanceof Error ? outcome.error.message : String(outcome.error);
		return `${outcome.device}: FAILED. ${message}`;
	}
	const resumed = outcome.resumedBytes === 0 ? '' : `, ${megabytes(outcome.resumedBytes)} MB were there already`;
	const doubt = outcome.isVerifiedDirect ? '' : ' (through this computer’s memory, which proves less)';
	const table = outcome.isTableOwn
		? ''
		: ' (its partition table is the image’s, for want of sgdisk: never plug two such disks into one box)';
	return `${outcome.device}: written and verified, ${megabytes(outcome.writtenBytes)} MB${resumed}${doubt}${table}; it can be taken out`;
};

const durationText = (seconds: number): string =>
	seconds < 60 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
