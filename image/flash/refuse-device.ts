import type {DeviceFacts} from '#image/flash/device-facts.ts';
import {flashError} from '#image/flash/flash-error.ts';
import {sectorBytes} from '#image/flash/partition-table.ts';

/** What a machine runs from; live systems have theirs below /run. */
const systemMounts =
	/^\/(?:boot|efi|usr|var|etc|home|nix|sysroot|gnu|run\/live|run\/initramfs|lib\/live|cdrom)?(?:\/|$)/u;

/** Why a disk must not be written, in a sentence; undefined when it may. Pure. */
export const refusalOf = (facts: DeviceFacts, imageBytes: number): Error | undefined => {
	const {path, uses} = facts;
	const system = uses.find((use) => use.kind === 'mount' && isSystemMount(use.at));
	if (system?.kind === 'mount') {
		return flashError('FLASH_SYSTEM_DISK', `${path} is the disk that this computer runs from (${system.at} is on it).`);
	}
	const [use] = uses;
	switch (use?.kind) {
		case undefined:
			break;
		case 'mount':
			return flashError('FLASH_DEVICE_IN_USE', `${path} is in use: it is mounted at ${use.at}; unmount it first.`);
		case 'swap':
			return flashError('FLASH_DEVICE_IN_USE', `${path} is in use: this computer swaps to it; swapoff it first.`);
		case 'holder':
			return flashError(
				'FLASH_DEVICE_IN_USE',
				`${path} is in use: ${use.name} (LVM, RAID or encryption) is made of it; take that down first.`,
			);
	}
	if (facts.kind === 'partition') {
		return flashError('FLASH_DEVICE_UNFIT', `${path} is a partition; name the whole disk.`);
	}
	if (facts.isReadOnly) {
		return flashError(
			'FLASH_DEVICE_UNFIT',
			`${path} is write-protected; look for a switch on the card or the adapter.`,
		);
	}
	if (facts.logicalSectorBytes !== sectorBytes) {
		return flashError(
			'FLASH_DEVICE_UNFIT',
			`${path} has sectors of ${facts.logicalSectorBytes} bytes, and the image is made for ${sectorBytes}.`,
		);
	}
	if (facts.sizeBytes === 0 && facts.kind === 'disk') {
		return flashError('FLASH_DEVICE_UNFIT', `There is no disk in ${path}.`);
	}
	if (facts.sizeBytes < imageBytes) {
		return flashError(
			'FLASH_DEVICE_SMALL',
			`${path} is too small: it has ${megabytes(facts.sizeBytes)} MB, and the image needs ${megabytes(imageBytes)} MB.`,
		);
	}
	return undefined;
};

const isSystemMount = (at: string): boolean => systemMounts.test(at);

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
