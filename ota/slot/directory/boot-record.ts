import {open, readFile, readlink, rename, rm, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {hasCode} from '#appliance/error/coded-error.ts';
import type {FaultPoint} from '#ota/slot/directory/fault-point.ts';

export const slotNames = ['slot-a', 'slot-b'] as const;
export type SlotName = (typeof slotNames)[number];

const slotSchema = z.strictObject({
	/** `trial` may be booted `triesLeft` times more before it is `bad`. */
	state: z.enum(['empty', 'good', 'trial', 'bad']),
	triesLeft: z.int().min(0).max(100),
	release: z.string().max(64).optional(),
	sha256: z.string().max(64).optional(),
});
const noteSchema = z.strictObject({
	origin: z.enum(['bootloader', 'panic', 'watchdog', 'power', 'supervisor', 'unknown']),
	detail: z.string().max(1024),
});
export type BootNote = z.infer<typeof noteSchema>;

/** What a boot loader keeps in its environment: which slot is next, and how often one on trial was tried. */
const bootRecordSchema = z.strictObject({
	version: z.literal(1),
	primary: z.enum(slotNames),
	booted: z.enum(slotNames),
	slots: z.strictObject({'slot-a': slotSchema, 'slot-b': slotSchema}),
	/** Why the slot that was tried last was left; until the next installation. */
	fallback: noteSchema.optional(),
	/** How the last boot of the slot on trial ended, if anybody saw it. */
	lastExit: noteSchema.optional(),
});
export type BootRecord = z.infer<typeof bootRecordSchema>;

export const otherSlot = (slot: SlotName): SlotName => (slot === 'slot-a' ? 'slot-b' : 'slot-a');

export const recordPath = (root: string): string => join(root, 'boot.json');
export const currentPath = (root: string): string => join(root, 'current');

/** The record; where it is torn or gone, what can be known without it: the slot that the link names is the good one. */
export const readBootRecord = async (root: string): Promise<BootRecord> => {
	try {
		return bootRecordSchema.parse(JSON.parse(await readFile(recordPath(root), 'utf8')));
	} catch (error) {
		if (!(error instanceof SyntaxError || error instanceof z.ZodError || hasCode(error, 'ENOENT'))) {
			throw error;
		}
		return await rebuildRecord(root);
	}
};

const rebuildRecord = async (root: string): Promise<BootRecord> => {
	const target = await readlink(currentPath(root)).catch(() => 'slot-a');
	const booted: SlotName = target === 'slot-b' ? 'slot-b' : 'slot-a';
	const good = {state: 'good', triesLeft: 0} as const;
	const bad = {state: 'bad', triesLeft: 0} as const;
	return {
		version: 1,
		primary: booted,
		booted,
		slots: {'slot-a': booted === 'slot-a' ? good : bad, 'slot-b': booted === 'slot-b' ? good : bad},
		fallback: {origin: 'unknown', detail: 'The boot record was unreadable and was made anew.'},
	};
};

export type Fault = (point: FaultPoint) => Promise<void>;
export const noFault: Fault = async () => undefined;

/** All of it or none, even when the power goes: a new file, synced, takes the old one's place. */
export const writeBootRecord = async (
	root: string,
	record: BootRecord,
	{fault}: {readonly fault: Fault},
): Promise<void> => {
	const temporary = join(root, 'boot.json.new');
	await fault('record-write');
	{
		await using handle = await open(temporary, 'w', 0o600);
		await handle.writeFile(`${JSON.stringify(bootRecordSchema.parse(record))}\n`);
		await handle.sync();
	}
	await fault('record-rename');
	await rename(temporary, recordPath(root));
	await syncDirectory(root);
	await fault('record-done');
};

/** Points `current` at a slot; whoever follows it sees the old one or the new one. */
export const switchCurrent = async (root: string, slot: SlotName, {fault}: {readonly fault: Fault}): Promise<void> => {
	const temporary = join(root, 'current.new');
	await rm(temporary, {force: true});
	await symlink(slot, temporary);
	await fault('switch-rename');
	await rename(temporary, currentPath(root));
	await syncDirectory(root);
};

export const syncDirectory = async (path: string): Promise<void> => {
	await using handle = await open(path, 'r');
	await handle.sync();
};
