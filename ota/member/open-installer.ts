import type {FleetConfig} from '#appliance/config/fleet-config-schema.ts';
import type {ReleaseManifest} from '#appliance/contract/fleet/release-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {createDirectoryInstaller} from '#ota/slot/directory/directory-installer.ts';
import type {SlotInstaller} from '#ota/slot/slot-installer.ts';

export type SignedManifest = {readonly manifest: string; readonly signature: string};

/** The installer that the box's file names; undefined for a box that takes no updates. */
export const openInstaller = (options: {
	readonly config: FleetConfig['installer'];
	readonly verify: (signed: SignedManifest) => ReleaseManifest;
	/** Ends the software, for the installer whose launcher starts it again. */
	readonly stop: (reason: string) => void;
	readonly logger: Logger;
}): SlotInstaller | undefined => {
	const {config, verify, stop, logger} = options;
	switch (config.kind) {
		case 'none':
			return undefined;
		case 'directory':
			return createDirectoryInstaller({
				...{root: config.directory, verify, logger},
				reboot: () => stop('a reboot into the other slot'),
			});
		case 'rauc':
			return undefined;
	}
};
