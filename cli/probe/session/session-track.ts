import type {FindingBook} from '#cli/probe/finding.ts';
import type {AlcPacket} from '#cli/probe/packet/parse-alc.ts';
import {blockGeometry} from '#cli/probe/session/block-geometry.ts';
import {DocumentAssembly, decodeDocument, documentBytesMax} from '#cli/probe/session/document.ts';
import {FdtTrack} from '#cli/probe/session/fdt-track.ts';
import {judgeDigest, judgePacket} from '#cli/probe/session/judge-session.ts';
import {ObjectTrack} from '#cli/probe/session/object-track.ts';
import {RateSeries} from '#cli/probe/session/rate-series.ts';
import type {FdtFile} from '#cli/probe/session/read-fdt.ts';

export type SessionKey = {readonly group: string; readonly port: number; readonly tsi: number};

/** What an object was, once its signalling has come. */
export type SignallingDocument = {readonly uri: string; readonly contentType: string; readonly bytes: Buffer};

type TrackedObject = {
	readonly toi: string;
	file: FdtFile | undefined;
	track: ObjectTrack | undefined;
	document: DocumentAssembly | undefined;
	readonly waiting: AlcPacket[];
	readonly waitingMs: number[];
	packets: number;
	bytes: number;
	readonly firstMs: number;
};

/** Objects of one session that are followed; the packets of others are counted only. */
const objectsMax = 20_000;
/** Of all objects of one session together: one byte each while a transmission lasts. */
const symbolsMax = 2 ** 27;
/** Packets kept of an object that no FDT has described yet, so that it is not judged from the middle. */
const waitingMax = 512;
const waitingSessionMax = 8192;
const documentsMax = 64;

/** Everything that one FLUTE session says. */
export class SessionTrack {
	readonly key: SessionKey;
	readonly rate = new RateSeries();
	readonly sources = new Set<string>();
	readonly #findings: FindingBook;
	readonly #onDocument: (document: SignallingDocument) => void;
	readonly #fdt: FdtTrack;
	readonly #objects = new Map<string, TrackedObject>();
	#packets = 0;
	#bytes = 0;
	#firstMs = 0;
	#lastMs = 0;
	#senderOffsetMs: number | undefined;
	#symbols = 0;
	#waiting = 0;
	#documents = 0;
	#untracked = 0;
	#isClosed = false;
	readonly #encodings = new Set<number>();

	constructor(options: {
		readonly key: SessionKey;
		readonly findings: FindingBook;
		readonly onDocument: (document: SignallingDocument) => void;
	}) {
		this.key = options.key;
		this.#findings = options.findings;
		this.#onDocument = options.onDocument;
		this.#fdt = new FdtTrack({where: this.where, findings: this.#findings, onFile: (file) => this.#describe(file)});
	}

	get where(): string {
		const {group, port, tsi} = this.key;
		return `${group}:${port} TSI ${tsi}`;
	}

	take(packet: AlcPacket, {timeMs, wireBytes}: {readonly timeMs: number; readonly wireBytes: number}): void {
		this.#firstMs = this.#packets === 0 ? timeMs : this.#firstMs;
		this.#lastMs = Math.max(this.#lastMs, timeMs);
		this.#packets += 1;
		this.#bytes += wireBytes;
		this.rate.add(timeMs, wireBytes);
		this.#isClosed ||= packet.closesSession;
		if (packet.senderTimeMs !== undefined) {
			this.#senderOffsetMs = packet.senderTimeMs - timeMs;
		}
		judgePacket(packet, {where: this.where, findings: this.#findings});
		if (packet.toi === '0') {
			this.#fdt.take(packet, timeMs);
			return;
		}
		this.#encodings.add(packet.codepoint);
		const object = this.#objectOf(packet.toi, timeMs);
		if (object === undefined) {
			this.#untracked += 1;
			return;
		}
		object.packets += 1;
		object.bytes += wireBytes;
		if (packet.fti !== undefined && object.track === undefined) {
			this.#follow(object, packet.fti);
		}
		this.#takeSymbol(object, packet, timeMs);
	}

	finish(): void {
		for (const object of this.#objects.values()) {
			object.track?.finish();
			if (object.file === undefined && object.packets > 0) {
				this.#findings.add({
					severity: 'warning',
					clause: 'RFC 3926 section 3.3',
					where: this.where,
					message: 'Objects are on air that no FDT instance of the capture describes',
				});
			}
		}
		this.#fdt.finish(this.#lastMs, this.#senderOffsetMs);
	}

	get facts() {
		return {
			...this.key,
			packets: this.#packets,
			bytes: this.#bytes,
			firstMs: this.#firstMs,
			lastMs: this.#lastMs,
			fdtInstances: this.#fdt.instances,
			encodingIds: [...this.#encodings],
			senderOffsetMs: this.#senderOffsetMs,
			isClosed: this.#isClosed,
			untrackedPackets: this.#untracked,
			files: this.#fdt.files,
		};
	}

	get objects(): readonly Readonly<Omit<TrackedObject, 'waiting' | 'waitingMs' | 'document'>>[] {
		return [...this.#objects.values()];
	}

	#objectOf(toi: string, timeMs: number): TrackedObject | undefined {
		const known = this.#objects.get(toi);
		if (known !== undefined || this.#objects.size >= objectsMax) {
			return known;
		}
		const object: TrackedObject = {
			...{toi, file: undefined, track: undefined, document: undefined},
			...{waiting: [], waitingMs: [], packets: 0, bytes: 0, firstMs: timeMs},
		};
		this.#objects.set(toi, object);
		const file = this.#fdt.files.get(toi);
		if (file !== undefined) {
			this.#meet(object, file);
		}
		return object;
	}

	#describe(file: FdtFile): void {
		const object = this.#objects.get(file.toi);
		if (object !== undefined && object.file === undefined) {
			this.#meet(object, file);
		}
	}

	/** The object and its description have found each other. */
	#meet(object: TrackedObject, file: FdtFile): void {
		object.file = file;
		const length = file.transferLength ?? Number.POSITIVE_INFINITY;
		if (isSignalling(file) && length <= documentBytesMax && this.#documents < documentsMax && file.geometry) {
			const geometry = blockGeometry(file.geometry);
			if (geometry !== undefined && geometry.symbols > 0) {
				this.#documents += 1;
				object.document = new DocumentAssembly(geometry);
			}
		}
		this.#follow(object, file.geometry);
	}

	#follow(object: TrackedObject, information: FdtFile['geometry']): void {
		const geometry = information === undefined ? undefined : blockGeometry(information);
		if (geometry === undefined || object.track !== undefined || this.#symbols + geometry.symbols > symbolsMax) {
			return;
		}
		this.#symbols += geometry.symbols;
		object.track = new ObjectTrack(geometry);
		const waiting = object.waiting.splice(0);
		const times = object.waitingMs.splice(0);
		this.#waiting -= waiting.length;
		for (const [index, packet] of waiting.entries()) {
			this.#takeSymbol(object, packet, times[index] ?? 0);
		}
	}

	#takeSymbol(object: TrackedObject, packet: AlcPacket, timeMs: number): void {
		const {symbol, payload} = packet;
		if (symbol === undefined || payload.length === 0) {
			return;
		}
		if (object.track === undefined) {
			if (object.waiting.length < waitingMax && this.#waiting < waitingSessionMax) {
				this.#waiting += 1;
				object.waiting.push({...packet, payload: Buffer.from(payload)});
				object.waitingMs.push(timeMs);
			}
			return;
		}
		object.track.take(symbol, timeMs);
		const whole = object.document?.take(symbol, payload);
		if (whole !== undefined && object.file !== undefined) {
			this.#complete(object.file, whole);
		}
	}

	#complete(file: FdtFile, bytes: Buffer): void {
		judgeDigest(file, bytes, {where: this.where, findings: this.#findings});
		try {
			const decoded = decodeDocument(bytes, file.contentEncoding);
			this.#onDocument({uri: file.uri, contentType: file.contentType ?? '', bytes: decoded});
		} catch {
			this.#findings.add({
				severity: 'error',
				clause: 'TS 103 769 annex F',
				where: this.where,
				message: `${file.uri} cannot be decompressed as ${file.contentEncoding}`,
			});
		}
	}
}

/** Named by a URN, or of a type that tells how to receive. */
const isSignalling = ({uri, contentType = ''}: FdtFile): boolean =>
	uri.startsWith('urn:') || /dvb-mabr|dvb-nip|dvbisl|dvb\.dvbi/u.test(contentType);
