import type {Bundle, ReleaseVersion} from '#appliance/contract/fleet/release-schema.ts';
import type {SlotReport} from '#appliance/contract/fleet/reported-schema.ts';

/** A bundle whose size and digest agree with a manifest that the release key signed. */
export type VerifiedBundle = {
	readonly path: string;
	readonly release: ReleaseVersion;
	readonly bundle: Bundle;
	/** The manifest as signed, and its signature: an installer that can verify them does so once more. */
	readonly manifest: string;
	readonly signature: string;
};

/** Why the box booted the slot that it booted, as far as the boot loader and the kernel tell. */
export type BootVerdict = {
	readonly bootedSlot: string;
	readonly release: ReleaseVersion | undefined;
	/** What runs is what was flashed, and what no update writes: never a release on trial. */
	readonly isFactory?: true;
	/** Set when another slot was tried first and was not kept. */
	readonly fallback:
		| {
				readonly origin: 'bootloader' | 'panic' | 'watchdog' | 'power' | 'supervisor' | 'unknown';
				readonly detail: string;
		  }
		| undefined;
};

/** The installer behind one interface: RAUC on a box, two directories on a developer's machine. */
export type SlotInstaller = AsyncDisposable & {
	readonly slots: (options: {readonly signal: AbortSignal}) => Promise<readonly SlotReport[]>;
	/** Writes the slot that is not booted, and makes it the one to boot next, on trial. */
	readonly install: (
		bundle: VerifiedBundle,
		options: {readonly signal: AbortSignal; readonly progress: (fraction: number) => void},
	) => Promise<void>;
	readonly bootVerdict: (options: {readonly signal: AbortSignal}) => Promise<BootVerdict>;
	/** The booted slot stays. Only after its checks have passed. */
	readonly markGood: (options: {readonly signal: AbortSignal}) => Promise<void>;
	/** The booted slot is not to be booted again; the other one is next. */
	readonly markBad: (options: {readonly signal: AbortSignal}) => Promise<void>;
	/** After an abort: the slot that was made next is not booted after all. */
	readonly cancel: (options: {readonly signal: AbortSignal}) => Promise<void>;
	/** Orderly: services stop, file systems are unmounted. Resolves when it was begun. */
	readonly reboot: (options: {readonly signal: AbortSignal}) => Promise<void>;
};
