import type {ReleaseVersion} from '#appliance/contract/fleet/release-schema.ts';
import type {SlotReport} from '#appliance/contract/fleet/reported-schema.ts';
import {hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {installBundle} from '#ota/slot/rauc/install-bundle.ts';
import {openRaucBus, type RaucBus, type RaucSlot} from '#ota/slot/rauc/rauc-bus.ts';
import {bootSlots, isFallback, pairOf} from '#ota/slot/rauc/slot-pair.ts';
import {slotError} from '#ota/slot/slot-error.ts';
import type {BootVerdict, SlotInstaller} from '#ota/slot/slot-installer.ts';

export type RaucInstallerOptions = {
	/** Default: the system bus. */
	readonly busAddress?: string;
	/** The release of the image that runs, as the image itself says. A factory image was never installed by RAUC. */
	readonly runningRelease?: () => ReleaseVersion | undefined;
	/** Why the machine last went down, as far as firmware and kernel tell (read-boot-cause.ts). */
	readonly bootCause?: () => Promise<BootVerdict['fallback']>;
	/** An orderly reboot of the machine. */
	readonly reboot: () => void | Promise<void>;
	readonly logger: Logger;
};

const idlePollMs = 250;

/** RAUC over D-Bus. The daemon verifies the bundle's own signature; nothing of what it says before `Completed` counts. */
export const createRaucInstaller = (options: RaucInstallerOptions): SlotInstaller => {
	const {busAddress: address, logger} = options;
	const withBus = async <Result>(signal: AbortSignal, work: (bus: RaucBus) => Promise<Result>): Promise<Result> => {
		using bus = await openRaucBus({address, signal});
		return await work(bus);
	};
	return {
		slots: async ({signal}) =>
			await withBus(signal, async (bus) => {
				const running = options.runningRelease?.();
				return bootSlots(await bus.slots()).map((slot) => reportSlot(slot, running));
			}),
		bootVerdict: async ({signal}) => await withBus(signal, async (bus) => await verdictOf(bus, options)),
		install: async (bundle, {signal, progress}) => await installBundle(bundle, {address, signal, progress, logger}),
		markGood: async ({signal}) =>
			await withBus(signal, async (bus) => {
				await bus.mark('good', 'booted');
				const {booted} = pairOf(await bus.slots());
				if (booted['boot-status'] !== 'good') {
					throw slotError('OTA_SLOT_UNREADABLE', {
						message: `${booted.name} was marked good, and is not.`,
						retryable: true,
					});
				}
			}),
		markBad: async ({signal}) =>
			await withBus(signal, async (bus) => {
				const {other} = pairOf(await bus.slots());
				if (other['boot-status'] !== 'good') {
					throw slotError('OTA_SLOT_NO_FALLBACK', {
						message: `${other.name} is bad as well; there is nothing to go back to.`,
					});
				}
				// First the way back: between the two the machine must have something to boot.
				await bus.mark('active', other.name);
				await bus.mark('bad', 'booted');
			}),
		cancel: async ({signal}) =>
			await withBus(signal, async (bus) => {
				// An installation goes on in the daemon whether or not anybody listens, and ends by making its slot next.
				const {booted, other} = pairOf(await slotsWhenIdle(bus, signal));
				await bus.mark('active', booted.name);
				await bus.mark('bad', other.name);
				if ((await bus.primary()) !== booted.name) {
					throw slotError('OTA_SLOT_UNREADABLE', {
						message: `${other.name} is still the next to boot.`,
						retryable: true,
					});
				}
			}),
		reboot: async () => {
			await options.reboot();
		},
		[Symbol.asyncDispose]: async () => undefined,
	};
};

/** Between the installation's last word and the daemon's rest there is a moment in which it still refuses all else. */
const slotsWhenIdle = async (bus: RaucBus, signal: AbortSignal): Promise<readonly RaucSlot[]> => {
	for (;;) {
		try {
			if ((await bus.properties()).Operation === 'idle') {
				return await bus.slots();
			}
		} catch (error) {
			if (!hasCode(error, 'OTA_SLOT_BUSY')) {
				throw error;
			}
		}
		await sleep(idlePollMs, {signal});
	}
};

/** A slot on trial counts as bad for RAUC until it is confirmed (GRUB: TRY=1), although it runs. */
const reportSlot = (slot: RaucSlot, running: string | undefined): SlotReport => {
	const booted = slot.state === 'booted';
	const status = slot['boot-status'] ?? 'unknown';
	const release = booted ? (running ?? slot['bundle.version']) : slot['bundle.version'];
	return {
		name: slot.name,
		state: booted ? 'booted' : 'inactive',
		status: booted && status === 'bad' ? 'unknown' : status,
		...(release === undefined ? {} : {release: release.slice(0, 256)}),
		...(slot.sha256 === undefined ? {} : {sha256: slot.sha256}),
	};
};

const verdictOf = async (bus: RaucBus, options: RaucInstallerOptions): Promise<BootVerdict> => {
	const pair = pairOf(await bus.slots());
	const {booted, other} = pair;
	const release = options.runningRelease?.() ?? (booted['bundle.version'] as ReleaseVersion | undefined);
	const runs = {bootedSlot: booted.name, release, ...(booted.class === other.class ? {} : {isFactory: true as const})};
	if (!isFallback(pair)) {
		return {...runs, fallback: undefined};
	}
	const cause = await options.bootCause?.().catch((error: unknown) => {
		options.logger.warn(
			{err: error, code: hasCode(error, 'EACCES') ? 'EACCES' : undefined},
			'the cause of the last boot is unreadable',
		);
		return undefined;
	});
	const detail = `${other.name} (${other['bundle.version'] ?? 'unknown release'}) was not confirmed, and the boot loader went back.`;
	return {
		...runs,
		fallback: cause === undefined ? {origin: 'bootloader', detail} : {...cause, detail: `${detail} ${cause.detail}`},
	};
};
