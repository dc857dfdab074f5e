import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const python = fileURLToPath(new URL('../../build/peers/bin/python', import.meta.url));
const script = fileURLToPath(new URL('peer.py', import.meta.url));

/** The Content-Encodings of EXT_CENC (RFC 6726 section 3.4.3). */
export const encodings = {none: 0, zlib: 1, deflate: 2, gzip: 3} as const;

type PeerLink = {
	readonly group: string;
	readonly port: number;
	readonly interface: string;
	/** These symbols of every block of every object are lost. */
	readonly dropEsi: readonly number[];
};

export type PeerFile = {
	readonly path: string;
	/** A URL. */
	readonly location: string;
	readonly type: string;
	/** One of `encodings`, of the object. */
	readonly encoding: number;
};

export type PeerSenderOptions = PeerLink & {
	readonly tsi: number;
	readonly firstToi: number;
	/** Of EXT_FDT: 1 is RFC 3926, 2 is RFC 6726. */
	readonly version: 1 | 2;
	readonly fdtInstanceId: number;
	/** One of `encodings`. */
	readonly fdtEncoding: number;
	/** The second one is TS 26.346 clause L.6, which TS 103 769 Annex F builds on. */
	readonly fdtProfile: 'extended' | 'ts-126-346-l6';
	readonly fec: {
		readonly encodingId: 0 | 5;
		readonly symbolBytes: number;
		readonly sourceBlockSymbolsMax: number;
		readonly repairSymbolsPerBlock: number;
	};
	readonly files: readonly PeerFile[];
	readonly rateBps: number;
};

export type PeerReceiver = {
	/** Waits for the object whose URL has this path, and answers its bytes. */
	readonly bytesOf: (urlPath: string) => Promise<Buffer>;
	readonly isComplete: (urlPath: string) => boolean;
	/** What the library said so far. */
	readonly log: () => string;
};

/** The other implementation's receiver, joined and ready. */
export const withPeerReceiver = async (t: ExecutionContext, link: PeerLink): Promise<PeerReceiver> => {
	const directory = await withDirectory(t);
	const {output, child} = startPeer(t, {role: 'receive', directory, ...link});
	await eventually('the peer receives', () => hasEnded(child, output()) || output().startsWith('ready'));
	const fileOf = (urlPath: string): string => path.join(directory, urlPath);
	const isComplete = (urlPath: string): boolean => output().includes(`File Some("${fileOf(urlPath)}") is completed`);
	return {
		isComplete,
		log: output,
		bytesOf: async (urlPath) => {
			await eventually(`the peer has ${urlPath}`, () => hasEnded(child, output()) || isComplete(urlPath)).catch(
				(error: unknown) => {
					t.log(output());
					throw error;
				},
			);
			return readFile(fileOf(urlPath));
		},
	};
};

/** Lets the other implementation send its files once, and waits for its end. */
export const sendAsPeer = async (t: ExecutionContext, options: PeerSenderOptions): Promise<void> => {
	const {child, output} = startPeer(t, {role: 'send', ...options});
	const [code] = (await once(child, 'close')) as [number | null];
	if (code !== 0) {
		throw new Error(`the peer's sender ended with ${code}: ${output()}`);
	}
};

const startPeer = (
	t: ExecutionContext,
	options: object,
): {readonly child: ChildProcess; readonly output: () => string} => {
	if (!existsSync(python)) {
		throw new Error('The peers are not installed: run ./streamverse test peers.');
	}
	const child = spawn(python, [script, JSON.stringify(options)], {stdio: ['pipe', 'pipe', 'pipe']});
	let output = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', (text: string) => {
			output += text;
		});
	}
	t.teardown(async () => {
		if (child.exitCode === null && child.signalCode === null) {
			child.kill('SIGKILL');
			await once(child, 'exit');
		}
	});
	return {child, output: () => output};
};

const hasEnded = (child: ChildProcess, output: string): false => {
	if (child.exitCode !== null) {
		throw new Error(`the peer ended with ${child.exitCode}: ${output}`);
	}
	return false;
};
