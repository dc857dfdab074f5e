import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import {
	type BootNote,
	type BootRecord,
	type Fault,
	noFault,
	otherSlot,
	readBootRecord,
	type SlotName,
	switchCurrent,
	writeBootRecord,
} from '#ota/slot/directory/boot-record.ts';
import {slotError} from '#ota/slot/slot-error.ts';

export type BootedSlot = {readonly slot: SlotName; readonly path: string; readonly release: string | undefined};

/**
 * What a boot loader does, for a development machine: called by whatever starts the software, at each start. A slot on
 * trial costs one of its tries; without any left the other slot is booted, and why is kept.
 */
export const bootSlot = async ({
	root,
	fault = noFault,
}: {
	readonly root: string;
	readonly fault?: Fault;
}): Promise<BootedSlot> => {
	const before = await readBootRecord(root);
	const record = await choose(root, before);
	// Counted before it is booted: a slot that takes the machine down with it must not be tried for ever.
	await writeBootRecord(root, record, {fault});
	await switchCurrent(root, record.booted, {fault});
	return {slot: record.booted, path: join(root, record.booted), release: record.slots[record.booted].release};
};

const choose = async (root: string, record: BootRecord): Promise<BootRecord> => {
	const {primary, slots} = record;
	const slot = slots[primary];
	const there = await isThere(join(root, primary));
	if (there && slot.state === 'good') {
		return {...record, booted: primary};
	}
	if (there && slot.state === 'trial' && slot.triesLeft > 0) {
		const tried = {...slot, triesLeft: slot.triesLeft - 1};
		return {...record, booted: primary, slots: {...slots, [primary]: tried}};
	}
	return await fallBack(root, record, there ? undefined : `${primary} is not there`);
};

const fallBack = async (root: string, record: BootRecord, why: string | undefined): Promise<BootRecord> => {
	const {primary, slots, lastExit} = record;
	const other = otherSlot(primary);
	if (slots[other].state !== 'good' || !(await isThere(join(root, other)))) {
		throw slotError('OTA_SLOT_UNBOOTABLE', {message: `Neither ${primary} nor ${other} can be booted.`});
	}
	const {lastExit: _seen, ...rest} = record;
	const tried = `${primary} was tried as often as it may be, and never confirmed`;
	const detail = `${why ?? tried}${lastExit === undefined ? '' : `; it last ended so: ${lastExit.detail}`}.`;
	return {
		...rest,
		primary: other,
		booted: other,
		slots: {...slots, [primary]: {...slots[primary], state: 'bad', triesLeft: 0}},
		fallback: record.fallback ?? {origin: lastExit?.origin ?? 'bootloader', detail: detail.slice(0, 1024)},
	};
};

const isThere = async (path: string): Promise<boolean> =>
	await stat(path).then(
		(found) => found.isDirectory(),
		() => false,
	);

/** Whoever saw how the booted slot ended (its exit code, a watchdog) says so; a fallback tells it. */
export const noteExit = async (
	root: string,
	note: BootNote,
	{fault = noFault}: {readonly fault?: Fault} = {},
): Promise<void> => {
	const record = await readBootRecord(root);
	if (record.slots[record.booted].state === 'trial') {
		await writeBootRecord(root, {...record, lastExit: note}, {fault});
	}
};
