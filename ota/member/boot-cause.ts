import {readFile, rm} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import type {BoxEvent} from '#appliance/contract/fleet/spool-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {writeDurably} from '#appliance/store/write-durably.ts';
import {readBootCause} from '#ota/slot/rauc/read-boot-cause.ts';
import type {BootVerdict} from '#ota/slot/slot-installer.ts';

export type BootCause = Extract<BoxEvent, {kind: 'boot'}>['data']['cause'];

/** Written while the box runs, so that the next boot knows how this one ended. */
const traceSchema = z.object({
	version: z.literal(1),
	bootId: z.string(),
	release: z.string(),
	/** Set just before the box is rebooted on purpose. */
	ending: z.object({cause: z.enum(['command', 'update', 'fallback']), detail: z.string()}).optional(),
	/** The supervisor was stopped in order, as a shutdown does. */
	stopped: z.boolean().default(false),
});
export type BootTrace = z.infer<typeof traceSchema>;

export type BootFacts = {
	readonly bootId: string;
	readonly release: string;
	readonly before: BootTrace | undefined;
	/** What the kernel and the hardware remember of the end before (read-boot-cause.ts). */
	readonly remembered: BootVerdict['fallback'];
};

/** Why the box booted; undefined when it did not: only the supervisor was started anew. Pure. */
export const bootCauseOf = (
	facts: BootFacts,
): {readonly cause: BootCause; readonly detail?: string | undefined} | undefined => {
	const {before, bootId, remembered} = facts;
	if (before?.bootId === bootId) {
		return undefined;
	}
	if (before === undefined) {
		return {cause: 'unknown', detail: 'the first boot that is known'};
	}
	if (before.ending !== undefined) {
		return before.ending;
	}
	if (remembered !== undefined && remembered.origin !== 'bootloader' && remembered.origin !== 'supervisor') {
		return {cause: remembered.origin, detail: remembered.detail};
	}
	// A reset button looks the same from here.
	return before.stopped ? {cause: 'unknown', detail: 'shut down in order'} : {cause: 'power', detail: 'no orderly end'};
};

export type BootRecord = {
	/** What is to be told of this boot; undefined once it was told, and where there was none. */
	readonly event: () => Extract<BoxEvent, {kind: 'boot'}> | undefined;
	/** The boot before was of another release, or ended for one: only then may this one be a fallback. */
	readonly mayBeFallback: boolean;
	/** Before an ordered reboot. */
	readonly willReboot: (cause: 'command' | 'update' | 'fallback', detail: string) => Promise<void>;
	readonly stopped: () => Promise<void>;
	/** The event is in the spool: from now on this boot is the known one. */
	readonly told: () => Promise<void>;
};

export const openBootRecord = async (options: {
	readonly directory: string;
	readonly bootId: string;
	readonly release: string;
	readonly logger: Logger;
}): Promise<BootRecord> => {
	const {directory, bootId, release, logger} = options;
	const filePath = path.join(directory, 'boot.json');
	let before: BootTrace | undefined;
	try {
		before = traceSchema.parse(JSON.parse(await readFile(filePath, 'utf8')));
	} catch {
		// The first boot, or one after a lost disk: nothing is known.
		await rm(filePath, {force: true}).catch(() => undefined);
	}
	const facts = {bootId, release, before, remembered: await readBootCause()};
	const verdict = bootCauseOf(facts);
	const write = async (trace: Partial<BootTrace>): Promise<void> => {
		try {
			await writeDurably(filePath, JSON.stringify({version: 1, bootId, release, stopped: false, ...trace}), {
				mode: 0o600,
			});
		} catch (error) {
			logger.warn({err: error}, 'cannot note how this boot goes');
		}
	};
	let ending: BootTrace['ending'];
	let event: ReturnType<BootRecord['event']> = verdict && {
		kind: 'boot',
		data: {
			...{bootId, release, cause: verdict.cause},
			...(verdict.detail === undefined ? {} : {detail: verdict.detail.slice(0, 2048)}),
		},
	};
	return {
		event: () => event,
		mayBeFallback: before !== undefined && (before.release !== release || before.ending?.cause === 'update'),
		told: async () => {
			event = undefined;
			await write({});
		},
		willReboot: (cause, detail) => {
			ending = {cause, detail};
			return write({ending});
		},
		stopped: () => write({stopped: true, ...(ending === undefined ? {} : {ending})}),
	};
};
