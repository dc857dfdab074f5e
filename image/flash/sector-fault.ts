import {errorCode, errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import {alignedBuffer, type BlockHandle} from '#image/flash/block-handle.ts';
import {type FlashErrorCode, flashError} from '#image/flash/flash-error.ts';
import {sectorBytes} from '#image/flash/partition-table.ts';
import {readWhole, writeWhole} from '#image/flash/whole-transfer.ts';

/** Disks of today fail by blocks of this size. */
const probeBytes = 4096;

type Fault = {
	readonly handle: BlockHandle;
	readonly devicePath: string;
	readonly isThere: () => Promise<boolean>;
	readonly offset: number;
	/** None when nobody knows which failed: a sync is of everything. */
	readonly bytes: Buffer;
	readonly signal: AbortSignal;
};

/** What went wrong with a chunk, with the sector where it did when that can be found, and what a technician may think of. */
export const explainFault = async (error: unknown, doing: 'write' | 'read', fault: Fault): Promise<Error> => {
	if (hasCode(error, 'FLASH_DEVICE_SILENT') || fault.signal.aborted) {
		return error as Error;
	}
	if (hasCode(error, 'ENODEV', 'ENXIO', 'ENOMEDIUM') || !(await fault.isThere())) {
		return flashError('FLASH_DEVICE_GONE', `${fault.devicePath} has gone: was it unplugged, or is its cable loose?`, {
			cause: error,
		});
	}
	const at = await firstFailing(doing, fault);
	const code: FlashErrorCode = doing === 'write' ? 'FLASH_WRITE_FAILED' : 'FLASH_READ_FAILED';
	const verb = doing === 'write' ? 'be written' : 'be read back';
	const what = at === undefined ? fault.devicePath : `Sector ${at / sectorBytes} of ${fault.devicePath}`;
	return flashError(code, `${what} cannot ${verb}: ${likelyCause(error)}`, {
		cause: error,
		sector: at === undefined ? undefined : at / sectorBytes,
	});
};

/** What was read back is not what was written. */
export const explainMismatch = (
	devicePath: string,
	offset: number,
	{written, found}: {readonly written: Buffer; readonly found: Buffer},
): Error => {
	let low = 0;
	for (let high = written.length; high - low > sectorBytes; ) {
		const middle = low + Math.ceil((high - low) / 2 / sectorBytes) * sectorBytes;
		if (written.subarray(low, middle).equals(found.subarray(low, middle))) {
			low = middle;
		} else {
			high = middle;
		}
	}
	const sector = (offset + low) / sectorBytes;
	return flashError(
		'FLASH_VERIFY_FAILED',
		`Sector ${sector} of ${devicePath} holds something else than what was written: the disk is worn out, or is smaller than it pretends; take another one.`,
		{sector},
	);
};

/** Undefined when each part of the chunk does well by itself. */
const firstFailing = async (
	doing: 'write' | 'read',
	{handle, offset, bytes, signal}: Fault,
): Promise<number | undefined> => {
	const probe = alignedBuffer(probeBytes);
	for (let at = 0; at < bytes.length; at += probeBytes) {
		const length = Math.min(probeBytes, bytes.length - at);
		const part = probe.subarray(0, length);
		try {
			if (doing === 'write') {
				bytes.copy(part, 0, at, at + length);
				await writeWhole(handle, part, offset + at, signal);
			} else {
				await readWhole(handle, part, offset + at, signal);
			}
		} catch {
			return offset + at;
		}
	}
	return undefined;
};

const likelyCause = (error: unknown): string => {
	switch (errorCode(error)) {
		case 'EIO':
			return 'the disk is worn out or broken, or its cable or reader is; try another port, then another disk (EIO).';
		case 'EROFS':
		case 'EPERM':
		case 'EACCES':
			return `it is write-protected; look for a switch on the card or the adapter (${errorCode(error)}).`;
		case 'ENOSPC':
		case 'EFBIG':
			return `there is no room: the disk is smaller than it says (${errorCode(error)}).`;
		default:
			return error instanceof RangeError
				? 'the disk ends there: it is smaller than it says, or it was taken away.'
				: `${errorMessage(error)}.`;
	}
};
