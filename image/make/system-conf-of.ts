import type {Trust} from '#image/make/image-keys.ts';
import type {Recipe} from '#image/make/recipe.ts';
import {renderSystemConf} from '#ota/slot/rauc/system-conf.ts';

/** Of Debian 13. */
const raucVersion = '1.13';

const device = (label: string): string => `/dev/streamverse/${label}`;

/** RAUC's configuration in an image: two slots, each a root file system with its kernel, and the environment of GRUB. */
export const systemConfOf = (recipe: Recipe, trust: Trust): string =>
	renderSystemConf({
		raucVersion,
		compatible: recipe.compatible,
		keyringPath: '/etc/rauc/keyring.pem',
		...(trust === 'release' ? {partialChain: true as const} : {}),
		dataDirectory: '/var/lib/rauc',
		mountPrefix: '/run/rauc',
		bootloader: {kind: 'grub', grubenvPath: '/efi/EFI/streamverse/grubenv'},
		slots: [
			{device: device('rootfs-a'), bootname: 'A', kernelDevice: device('boot-a')},
			{device: device('rootfs-b'), bootname: 'B', kernelDevice: device('boot-b')},
		],
		factory: {device: device('rootfs-r'), bootname: 'R'},
	});
