import type {Logger} from '#appliance/log/logger.ts';
import {openRaucBus, type RaucBus, type RaucSignal} from '#ota/slot/rauc/rauc-bus.ts';
import {isFallback, pairOf, targetSlots} from '#ota/slot/rauc/slot-pair.ts';
import {type SlotErrorCode, slotError} from '#ota/slot/slot-error.ts';
import type {VerifiedBundle} from '#ota/slot/slot-installer.ts';

export type InstallOptions = {
	readonly address: string | undefined;
	readonly signal: AbortSignal;
	readonly progress: (fraction: number) => void;
	readonly logger: Logger;
};

/** What a second attempt will not change: the bundle itself is refused. By the words in which RAUC says so, the first that fit. */
const refusals: readonly (readonly [RegExp, SlotErrorCode])[] = [
	[
		/invalid bundle|no valid cms|(?:signature|payload|bundle|squashfs) size|identifier|corrupt/iu,
		'OTA_SLOT_BUNDLE_DAMAGED',
	],
	[/signature|certificate/iu, 'OTA_SLOT_BUNDLE_SIGNATURE'],
	[/compatible/iu, 'OTA_SLOT_BUNDLE_COMPATIBLE'],
	[/too small for image|does not fit/iu, 'OTA_SLOT_TOO_SMALL'],
	[/bundle format|manifest/iu, 'OTA_SLOT_BUNDLE_INVALID'],
];

/**
 * Hands a bundle to the daemon and waits for its word. `Progress` reaches 100 on failure, too, and the reply to the call
 * only says that it has begun: nothing but `Completed` with 0, and the slot's own status after it, is a success.
 */
export const installBundle = async (verified: VerifiedBundle, options: InstallOptions): Promise<void> => {
	const {address, signal, progress, logger} = options;
	const ended = Promise.withResolvers<Exclude<RaucSignal, {kind: 'progress'}>>();
	const onSignal = (told: RaucSignal): void => {
		if (told.kind === 'progress') {
			logger.debug({percent: told.percent, step: told.message}, 'RAUC installs');
			progress(Math.min(0.99, told.percent / 100));
		} else {
			ended.resolve(told);
		}
	};
	using bus = await openRaucBus({address, signal, onSignal});
	await requireReady(bus, verified);
	await bus.installBundle(verified.path);
	const told = await untilEnded(ended.promise, signal);
	if (told.kind === 'lost') {
		throw slotError('OTA_SLOT_DAEMON_LOST', {
			message: `RAUC was lost while it installed: ${told.detail}.`,
			retryable: true,
		});
	}
	if (told.result !== 0) {
		const {LastError: last} = await bus.properties();
		const refusal = refusals.find(([words]) => words.test(last))?.[1];
		const message = `RAUC: ${last || 'no reason given'}`;
		throw slotError(refusal ?? 'OTA_SLOT_INSTALL_FAILED', {message, retryable: refusal === undefined});
	}
	await requireInstalled(bus, verified);
	progress(1);
};

const requireReady = async (bus: RaucBus, {bundle}: VerifiedBundle): Promise<void> => {
	if (bundle.format !== 'rauc') {
		throw slotError('OTA_SLOT_BUNDLE_INVALID', {message: `RAUC takes no bundle of format ${bundle.format}.`});
	}
	if ((await bus.properties()).Operation !== 'idle') {
		throw slotError('OTA_SLOT_BUSY', {message: 'RAUC is busy with another operation.', retryable: true});
	}
	const pair = pairOf(await bus.slots());
	if (isFallback(pair)) {
		// The fallback of the past must not be taken for one of this installation.
		await bus.mark('active', pair.booted.name);
	}
	if (pair.booted['boot-status'] === 'bad' && pair.booted.class === pair.other.class) {
		// GRUB counts each start of a slot, and RAUC has it for bad until somebody says otherwise. What runs is the way back.
		await bus.mark('good', pair.booted.name);
	}
};

const untilEnded = async <Told>(ended: Promise<Told>, signal: AbortSignal): Promise<Told> => {
	const aborted = Promise.withResolvers<never>();
	const onAbort = (): void => aborted.reject(signal.reason);
	signal.addEventListener('abort', onAbort, {once: true});
	try {
		return await Promise.race([ended, aborted.promise]);
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
};

const requireInstalled = async (bus: RaucBus, {release}: VerifiedBundle): Promise<void> => {
	const targets = targetSlots(await bus.slots());
	const primary = await bus.primary();
	const written = targets.find(({name}) => name === primary);
	if (written?.['bundle.version'] !== release) {
		const held = targets.map((slot) => `${slot.name} holds ${slot['bundle.version'] ?? 'nothing'}`).join(', ');
		throw slotError('OTA_SLOT_INSTALL_FAILED', {
			message: `RAUC says that it is done, but next to boot is ${primary}, and ${held}.`,
			retryable: true,
		});
	}
};
