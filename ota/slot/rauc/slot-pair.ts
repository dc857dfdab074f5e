import type {RaucSlot} from '#ota/slot/rauc/rauc-bus.ts';
import {slotError} from '#ota/slot/slot-error.ts';

/** The slots that a boot loader chooses from; their children and others (a boot partition, data) are not ours. */
export const bootSlots = (slots: readonly RaucSlot[]): readonly RaucSlot[] =>
	slots
		.filter(({bootname, parent}) => bootname !== undefined && (parent ?? '') === '')
		.toSorted((left, right) => left.name.localeCompare(right.name));

/** `other` is where an update goes, and what the boot loader goes back to. */
export type Pair = {readonly booted: RaucSlot; readonly other: RaucSlot};

export const pairOf = (all: readonly RaucSlot[]): Pair => {
	const slots = bootSlots(all);
	const booted = slots.find(({state}) => state === 'booted');
	const others = slots.filter(({state}) => state !== 'booted');
	// The factory's slot has no partner: what counts there is the one that was to run last.
	const other =
		others.find((slot) => slot.class === booted?.class) ??
		others.toSorted((left, right) => activationOf(right).localeCompare(activationOf(left))).at(0);
	if (booted === undefined || other === undefined) {
		throw slotError('OTA_SLOT_UNREADABLE', {
			message: 'RAUC does not know which of two slots is booted: is rauc.slot on the kernel’s command line?',
			retryable: true,
		});
	}
	return {booted, other};
};

/** Written as ISO 8601, so that the later is the greater; empty where RAUC never activated it. */
const activationOf = (slot: RaucSlot): string => slot['activated.timestamp'] ?? '';

/**
 * RAUC itself does not say that a box has fallen back. It has, when the slot that was activated last is not the one that
 * runs, and is bad.
 */
export const isFallback = ({booted, other}: Pair): boolean =>
	other['boot-status'] === 'bad' && activationOf(other) > activationOf(booted);

/** The slots that an update may be written to. When the factory's runs, it is RAUC that chooses between two. */
export const targetSlots = (all: readonly RaucSlot[]): readonly RaucSlot[] => {
	const {other} = pairOf(all);
	return bootSlots(all).filter(({class: name, state}) => name === other.class && state !== 'booted');
};
