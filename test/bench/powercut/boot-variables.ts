import {bootVariablesOf} from '#test/helper/box-disk.ts';

export const slots = ['A', 'B'] as const;
export type Slot = (typeof slots)[number];

/** GRUB's environment: which slot is next, and which may be booted how often. */
export type BootVariables = {
	/** The slot that is tried first. */
	readonly first: string;
	readonly order: readonly string[];
	readonly ok: Readonly<Record<Slot, boolean>>;
	readonly tries: Readonly<Record<Slot, number>>;
};

type Copy = 'grubenv' | 'grubenv.second';

const triesMax = 3;

/** Undefined when the environment is not whole, as it is for a moment while it is written. */
export const readBootVariables = (diskPath: string, copy: Copy = 'grubenv'): BootVariables | undefined => {
	const text = readCopy(diskPath, copy);
	const value = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'mu').exec(text ?? '')?.[1];
	const order = value('ORDER')?.split(' ') ?? [];
	const [first] = order;
	const numbers = [value('A_OK'), value('B_OK'), value('A_TRY'), value('B_TRY')];
	if (first === undefined || numbers.some((each) => each === undefined || !/^\d$/u.test(each))) {
		return undefined;
	}
	const [okA, okB, triesA, triesB] = numbers.map(Number) as [number, number, number, number];
	return {first, order, ok: {A: okA === 1, B: okB === 1}, tries: {A: triesA, B: triesB}};
};

export const isBootable = (variables: BootVariables, slot: Slot): boolean =>
	variables.order.includes(slot) && variables.ok[slot] && variables.tries[slot] < triesMax;

const readCopy = (diskPath: string, copy: Copy): string | undefined => {
	try {
		return bootVariablesOf(diskPath, copy);
	} catch {
		// mtools has met the file system while it was written, or a copy that a cut has taken.
		return undefined;
	}
};
