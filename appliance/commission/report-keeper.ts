import {readFile} from 'node:fs/promises';
import {z} from 'zod';
import {type CommissionReport, commissionReportSchema} from '#appliance/contract/fleet/commission-report-schema.ts';
import {hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {writeDurably} from '#appliance/store/write-durably.ts';
import {sleep} from '#appliance/time/sleep.ts';

/** A report that is written before the box has a link waits for it. */
const retryMs = 15_000;

const keptSchema = z.strictObject({version: z.literal(1), report: commissionReportSchema, told: z.boolean()});
export type KeptReport = Pick<z.infer<typeof keptSchema>, 'report' | 'told'>;

export type ReportKeeper = {
	readonly newest: () => KeptReport | undefined;
	/** Resolves once the report is on disk; the fleet hears of it when it can. */
	readonly keep: (report: CommissionReport) => Promise<void>;
	/** Ends with its signal. */
	readonly run: (options: {readonly signal: AbortSignal}) => Promise<void>;
};

/** The newest report of a box, and whether the fleet has it. One writer at a time changes the file: each waits for the last. */
export const openReportKeeper = async (options: {
	readonly filePath: string;
	/** False while nothing keeps it for the fleet. */
	readonly tell: (report: CommissionReport) => boolean;
	readonly logger: Logger;
}): Promise<ReportKeeper> => {
	const {filePath, tell, logger} = options;
	let kept = await readKept(filePath, logger);
	let last: Promise<void> = Promise.resolve();
	const write = (next: KeptReport): Promise<void> => {
		const text = `${JSON.stringify({version: 1, ...next}, undefined, '\t')}\n`;
		const written = last.then(async () => {
			await writeDurably(filePath, text, {mode: 0o600});
			kept = next;
		});
		last = written.catch(() => undefined);
		return written;
	};
	const tellPending = async (): Promise<void> => {
		const pending = kept;
		if (pending !== undefined && !pending.told && tell(pending.report)) {
			// Told twice after a loss of power is better than never.
			await write({report: pending.report, told: true});
		}
	};
	return {
		newest: () => kept,
		keep: async (report) => {
			await write({report, told: false});
			await tellPending();
		},
		run: async ({signal}) => {
			while (!signal.aborted) {
				await tellPending().catch((error: unknown) => logger.warn({err: error}, 'the commissioning report waits'));
				await sleep(retryMs, {signal}).catch(() => undefined);
			}
		},
	};
};

/** A damaged file costs the report, not the page. */
const readKept = async (filePath: string, logger: Logger): Promise<KeptReport | undefined> => {
	try {
		const {report, told} = keptSchema.parse(JSON.parse(await readFile(filePath, 'utf8')));
		return {report, told};
	} catch (error) {
		if (!hasCode(error, 'ENOENT')) {
			logger.warn({err: error}, 'the kept commissioning report cannot be read');
		}
		return undefined;
	}
};
