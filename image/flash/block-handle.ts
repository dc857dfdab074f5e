import {constants, type Stats} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {hasCode} from '#appliance/error/coded-error.ts';

/** A disk or a file as this tool needs it; tests put one between that fails. */
export type BlockHandle = {
	readonly read: (buffer: Buffer, offset: number) => Promise<number>;
	readonly write: (buffer: Buffer, offset: number) => Promise<number>;
	readonly sync: () => Promise<void>;
	readonly close: () => Promise<void>;
	/** Of what is open, whatever its path names meanwhile. */
	readonly stat: () => Promise<Stats>;
	/** What is read comes from the medium and not from this machine's memory. */
	readonly isDirect: boolean;
};

export type OpenBlockHandle = (
	path: string,
	options: {readonly writable: boolean; readonly exclusive: boolean},
) => Promise<BlockHandle>;

/**
 * Opens what is written past the page cache (O_DIRECT), so that what is read back was really on the disk; few file systems
 * know no such thing. An image needs no such proof, since its bytes are compared with their digests. Exclusive: the kernel
 * refuses a disk that is mounted or part of something, and nobody mounts it meanwhile.
 */
export const openBlockHandle: OpenBlockHandle = async (path, {writable, exclusive}) => {
	const flags = (writable ? constants.O_RDWR : constants.O_RDONLY) | (exclusive ? constants.O_EXCL : 0);
	if (!writable) {
		return blockHandle(await open(path, flags), false);
	}
	try {
		return blockHandle(await open(path, flags | constants.O_DIRECT), true);
	} catch (error) {
		if (!hasCode(error, 'EINVAL')) {
			throw error;
		}
		return blockHandle(await open(path, flags), false);
	}
};

const blockHandle = (handle: FileHandle, isDirect: boolean): BlockHandle => ({
	isDirect,
	read: async (buffer, offset) => (await handle.read(buffer, 0, buffer.length, offset)).bytesRead,
	write: async (buffer, offset) => (await handle.write(buffer, 0, buffer.length, offset)).bytesWritten,
	sync: () => handle.sync(),
	close: () => handle.close(),
	stat: () => handle.stat(),
});

type WasmMemory = {readonly buffer: ArrayBuffer};
const {WebAssembly: wasm} = globalThis as unknown as {
	readonly WebAssembly: {readonly Memory: new (pages: {initial: number; maximum: number}) => WasmMemory};
};
const wasmPageBytes = 64 * 1024;

/** O_DIRECT wants memory that begins on a page. A `Buffer` begins anywhere; the memory of WebAssembly does not. */
export const alignedBuffer = (bytes: number): Buffer => {
	const pages = Math.ceil(bytes / wasmPageBytes);
	return Buffer.from(new wasm.Memory({initial: pages, maximum: pages}).buffer).subarray(0, bytes);
};
