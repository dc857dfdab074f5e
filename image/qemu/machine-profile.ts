import type {Architecture} from '#image/make/recipe.ts';

export type MachineProfile = {
	readonly command: string;
	readonly arguments: readonly string[];
	readonly code: string;
	readonly variables: string;
	/** The firmware of boards, which has an EFI loader of its own. */
	readonly uBoot?: string;
	/** The firmware that enforces Secure Boot, and what it needs of the machine. */
	readonly secure?: {readonly code: string; readonly arguments: readonly string[]};
};

/** A watchdog card that resets the machine, as a box has one. */
const watchdog = ['-device', 'i6300esb', '-action', 'watchdog=reset'];

/**
 * A machine for each architecture. Without `svm` a guest does not load what it cannot use; `la57` off is for a shorter page
 * walk, which TCG does in software; `erms` off, because a kernel that has it clears a page byte by byte, and each byte that is
 * written where code once ran makes TCG look through all of that code.
 */
export const machineProfiles: Readonly<Record<Architecture, MachineProfile>> = {
	amd64: {
		command: 'qemu-system-x86_64',
		arguments: [
			...['-machine', 'q35', '-accel', 'tcg,thread=multi,tb-size=512'],
			...['-cpu', 'max,svm=off,la57=off,erms=off,fsrm=off', '-smp', '2', ...watchdog],
		],
		code: 'OVMF_CODE_4M.fd',
		variables: 'OVMF_VARS_4M.fd',
		// The variables can be written in system management mode alone, so that no guest gets round the firmware.
		secure: {
			code: 'OVMF_CODE_4M.secboot.fd',
			arguments: [
				...['-machine', 'smm=on', '-global', 'driver=cfi.pflash01,property=secure,value=on'],
				...['-global', 'ICH9-LPC.disable_s3=1'],
			],
		},
	},
	arm64: {
		command: 'qemu-system-aarch64',
		arguments: [
			...['-machine', 'virt', '-accel', 'tcg,thread=multi,tb-size=512'],
			// Its processor has no instruction for random numbers, and a kernel without any waits for them.
			...['-cpu', 'cortex-a76', '-smp', '2', ...watchdog, '-device', 'virtio-rng-pci'],
		],
		code: 'AAVMF_CODE.fd',
		variables: 'AAVMF_VARS.fd',
		uBoot: '/usr/lib/u-boot/qemu_arm64/u-boot.bin',
	},
};
