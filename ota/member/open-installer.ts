import type {FleetConfig} from '#appliance/config/fleet-config-schema.ts';
import {type ReleaseManifest, releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {rebootMachine} from '#ota/member/reboot-machine.ts';
import {createDirectoryInstaller} from '#ota/slot/directory/directory-installer.ts';
import {createRaucInstaller} from '#ota/slot/rauc/rauc-installer.ts';
import {readBootCause} from '#ota/slot/rauc/read-boot-cause.ts';
import type {SlotInstaller} from '#ota/slot/slot-installer.ts';

export type SignedManifest = {readonly manifest: string; readonly signature: string};

/** The installer that the box's file names; undefined for a box that takes no updates. */
export const openInstaller = (options: {
	readonly config: FleetConfig['installer'];
	readonly verify: (signed: SignedManifest) => ReleaseManifest;
	/** What this process is of; an image that was flashed is known to RAUC by no bundle. */
	readonly release: string;
	/** Ends the software, for the installer whose launcher starts it again. */
	readonly stop: (reason: string) => void;
	readonly logger: Logger;
}): SlotInstaller | undefined => {
	const {config, verify, release, stop, logger} = options;
	switch (config.kind) {
		case 'none':
			return undefined;
		case 'directory':
			return createDirectoryInstaller({
				...{root: config.directory, verify, logger},
				reboot: () => stop('a reboot into the other slot'),
			});
		case 'rauc':
			return createRaucInstaller({
				...(config.busAddress === undefined ? {} : {busAddress: config.busAddress}),
				runningRelease: () => releaseVersionSchema.safeParse(release).data,
				bootCause: () => readBootCause({}),
				reboot: rebootMachine,
				logger,
			});
	}
};
