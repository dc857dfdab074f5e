import type {BlockHandle} from '#image/flash/block-handle.ts';
import {flashError} from '#image/flash/flash-error.ts';

/** A disk that answers nothing for so long has gone, whatever the kernel still hopes. */
const answerTimeoutMs = 60_000;

/** Fills the buffer. @throws RangeError when the disk ends before; FLASH_DEVICE_SILENT; the kernel's error. */
export const readWhole = (handle: BlockHandle, buffer: Buffer, offset: number, signal: AbortSignal): Promise<void> =>
	transferWhole((part, at) => handle.read(part, at), buffer, offset, signal);

/** Writes the buffer. @throws RangeError when the disk takes no more; FLASH_DEVICE_SILENT; the kernel's error. */
export const writeWhole = (handle: BlockHandle, buffer: Buffer, offset: number, signal: AbortSignal): Promise<void> =>
	transferWhole((part, at) => handle.write(part, at), buffer, offset, signal);

const transferWhole = async (
	transfer: (part: Buffer, at: number) => Promise<number>,
	buffer: Buffer,
	offset: number,
	signal: AbortSignal,
): Promise<void> => {
	for (let done = 0; done < buffer.length; ) {
		const count = await answered(transfer(buffer.subarray(done), offset + done), signal);
		if (count === 0) {
			throw new RangeError(`The disk ends at byte ${offset + done}.`);
		}
		done += count;
	}
};

/** The answer, or an error when there is none in time: a system call cannot be called back, only left behind. */
export const answered = async <T>(answer: Promise<T>, signal: AbortSignal): Promise<T> => {
	signal.throwIfAborted();
	const {promise: stopped, reject} = Promise.withResolvers<never>();
	const stop = (): void => reject(signal.reason);
	const silent = setTimeout(
		() => reject(flashError('FLASH_DEVICE_SILENT', `It has not answered for ${answerTimeoutMs / 1000} seconds.`)),
		answerTimeoutMs,
	);
	signal.addEventListener('abort', stop, {once: true});
	try {
		return await Promise.race([answer, stopped]);
	} finally {
		clearTimeout(silent);
		signal.removeEventListener('abort', stop);
		answer.catch(() => undefined);
	}
};
