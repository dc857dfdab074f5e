import {slotError} from '#ota/slot/slot-error.ts';

export type SystemConf = {
	/** Of the daemon that will read it, such as `1.8` or `1.13`. */
	readonly raucVersion: string;
	readonly compatible: string;
	readonly keyringPath: string;
	readonly dataDirectory: string;
	readonly mountPrefix: string;
	readonly bootloader:
		| {readonly kind: 'grub'; readonly grubenvPath: string}
		| {readonly kind: 'uboot'}
		| {readonly kind: 'custom'; readonly backendPath: string};
	readonly slots: readonly {
		readonly device: string;
		readonly bootname: string;
		/** Of the kernel that boots this root, when it has a partition of its own: written together with it. */
		readonly kernelDevice?: string;
	}[];
	/** What was flashed, and what no update writes: booted when both slots have failed. */
	readonly factory?: {readonly device: string; readonly bootname: string};
	/** The keyring may end at an intermediate, so that a release box trusts the release chain alone. */
	readonly partialChain?: true;
	/** Only a test may take bundles whose signature does not cover each block (CVE-2026-34155). */
	readonly allowPlain?: true;
	/** The oldest release that may be installed; known from 1.12 on. */
	readonly minimumVersion?: string;
};

/**
 * RAUC's `system.conf`. An unknown key is fatal to the daemon, so that what a version does not know is left out; what it
 * would have enforced, the agent enforces itself in any case.
 */
export const renderSystemConf = (conf: SystemConf): string => {
	const minor = minorOf(conf.raucVersion);
	const boot =
		conf.bootloader.kind === 'grub'
			? [`grubenv=${conf.bootloader.grubenvPath}`]
			: conf.bootloader.kind === 'uboot'
				? // At most 9: 1.8 writes the count in decimal, and reads it as hexadecimal.
					['boot-attempts=3', 'boot-attempts-primary=3']
				: [];
	const lines = [
		'[system]',
		`compatible=${conf.compatible}`,
		`bootloader=${conf.bootloader.kind}`,
		...boot,
		`bundle-formats=${conf.allowPlain === true ? 'plain verity' : '-plain'}`,
		`data-directory=${conf.dataDirectory}`,
		`mountprefix=${conf.mountPrefix}`,
		...(minor >= 12 && conf.minimumVersion !== undefined ? [`min-bundle-version=${conf.minimumVersion}`] : []),
		...(minor >= 14 ? ['prevent-late-fallback=true'] : []),
		'',
		'[keyring]',
		`path=${conf.keyringPath}`,
		'check-purpose=codesign',
		...(conf.partialChain === true ? ['allow-partial-chain=true'] : []),
		...(conf.bootloader.kind === 'custom'
			? ['', '[handlers]', `bootloader-custom-backend=${conf.bootloader.backendPath}`]
			: []),
		...conf.slots.flatMap(slotLines),
		...(conf.factory === undefined ? [] : factoryLines(conf.factory)),
	];
	return `${lines.map(requireOneLine).join('\n')}\n`;
};

const slotLines = (slot: SystemConf['slots'][number], index: number): readonly string[] => [
	...['', `[slot.rootfs.${index}]`, `device=${slot.device}`, 'type=raw', `bootname=${slot.bootname}`],
	...(slot.kernelDevice === undefined
		? []
		: ['', `[slot.boot.${index}]`, `device=${slot.kernelDevice}`, 'type=raw', `parent=rootfs.${index}`]),
];

const factoryLines = ({device, bootname}: NonNullable<SystemConf['factory']>): readonly string[] => [
	...['', '[slot.factory.0]', `device=${device}`, 'type=raw', `bootname=${bootname}`, 'readonly=true'],
];

const minorOf = (version: string): number => {
	const match = /^1\.(\d{1,3})(?:\.|$)/u.exec(version);
	if (match === null) {
		throw slotError('OTA_SLOT_CONFIG', {message: `RAUC ${version} is none whose keys are known here (1.x).`});
	}
	return Number(match[1]);
};

const requireOneLine = (line: string): string => {
	if (/[\r\n]/u.test(line)) {
		throw slotError('OTA_SLOT_CONFIG', {message: 'A value of system.conf holds a line break.'});
	}
	return line;
};
