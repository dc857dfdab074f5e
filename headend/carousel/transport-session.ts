import {createHash} from 'node:crypto';
import {gzipSync} from 'node:zlib';
import type {Clock} from '#appliance/time/clock.ts';
import type {IdentifierRegistry} from '#headend/carousel/identifier-registry.ts';
import type {TransportObject} from '#headend/carousel/transport-object.ts';
import type {JobEnd, JobLabel, LaneName, Uplink} from '#headend/carousel/uplink.ts';
import {type FdtFile, writeFdt} from '#headend/carousel/write-fdt.ts';
import {type FecGeometry, fecGeometryOf} from '#headend/schedule/wire-size.ts';

/** An instance that describes the same files is renewed when this part of its life is over. */
const renewRatio = 0.5;

export type FecOptions = {
	readonly symbolBytes: number;
	readonly encodingId: 0 | 5;
	readonly sourceBlockSymbolsMax: number;
	readonly overheadPercent: number;
};

export type SessionOptions = {
	readonly uplink: Uplink;
	readonly registry: IdentifierRegistry;
	readonly clock: Clock;
	readonly tsi: number;
	readonly destination: {readonly group: string; readonly port: number};
	readonly fec: FecOptions;
	readonly md5: boolean;
	readonly gzip: boolean;
	/** How far ahead an instance's Expires lies. */
	readonly fdtLifeMs: number;
	/** True when TOIs are remembered across restarts; live content is not worth a row. */
	readonly remembersToi: boolean;
};

export type Transmission = {
	readonly file: FdtFile;
	readonly lane: LaneName;
	readonly label?: JobLabel;
	readonly onEnd: (end: JobEnd) => void;
};

type Instance = {readonly id: number; readonly body: Buffer; readonly gzip: boolean; readonly issuedMs: number};

/**
 * One FLUTE session: gives objects their TOI, describes them in FDT instances before they are sent, and repeats the
 * newest instance. An instance describes what is in flight and what comes next; its bytes never change under one id.
 */
export class TransportSession {
	readonly #options: SessionOptions;
	readonly #inFlight = new Map<number, {readonly file: FdtFile; jobs: number}>();
	readonly #liveTois = new Map<string, number>();
	readonly #written = new WeakMap<FdtFile, string>();
	#described: readonly FdtFile[] = [];
	#instance: Instance | undefined;
	#fdtJobs = 0;

	constructor(options: SessionOptions) {
		this.#options = options;
	}

	get isIdle(): boolean {
		return this.#inFlight.size === 0;
	}

	get tsi(): number {
		return this.#options.tsi;
	}

	fecOf(transferLength: number): FecGeometry {
		return fecGeometryOf(transferLength, this.#options.fec);
	}

	/** Jobs of this object that have not ended. */
	jobsOf(toi: number): number {
		return this.#inFlight.get(toi)?.jobs ?? 0;
	}

	/** Gives each object the TOI that this content has in this session. */
	describe(objects: readonly TransportObject[]): readonly FdtFile[] {
		const keys = objects.map((object) => this.#keyOf(object));
		const tois = this.#options.remembersToi
			? this.#options.registry.toisOf(this.tsi, keys)
			: keys.map((key) => this.#liveToi(key));
		return objects.map((object, index) => ({object, toi: tois[index] ?? 0, fec: this.fecOf(object.transferLength)}));
	}

	/** Sends an instance that describes `files`, what is in flight and `standing`, then the files. */
	transmit(files: readonly Transmission[], standing: readonly FdtFile[] = []): void {
		for (const {file} of files) {
			const flight = this.#inFlight.get(file.toi);
			this.#inFlight.set(file.toi, {file, jobs: (flight?.jobs ?? 0) + 1});
		}
		this.#announce(standing);
		for (const {file, lane, label, onEnd} of files) {
			const {object, toi, fec} = file;
			this.#options.uplink.enqueue(
				{
					lane,
					destination: this.#options.destination,
					tsi: this.tsi,
					toi,
					source: object.source,
					fec: toJobFec(fec),
					closeObject: true,
				},
				(end) => {
					const flight = this.#inFlight.get(toi);
					if (flight !== undefined && flight.jobs > 1) {
						flight.jobs -= 1;
					} else {
						this.#inFlight.delete(toi);
					}
					onEnd(end);
				},
				label,
			);
		}
	}

	/** Repeats what is described, without what has left; silent when that is nothing, or when the last one still waits. */
	repeat(standing: readonly FdtFile[] = []): void {
		if (this.#fdtJobs === 0 && (this.#inFlight.size > 0 || standing.length > 0)) {
			this.#announce(standing);
		}
	}

	/** Forgets the TOI of live content that nobody will send again. */
	forget(objects: readonly TransportObject[]): void {
		for (const object of objects) {
			this.#liveTois.delete(this.#keyOf(object));
		}
	}

	#announce(standing: readonly FdtFile[]): void {
		const files = new Map(
			[...standing, ...[...this.#inFlight.values()].map(({file}) => file)].map((file) => [file.toi, file]),
		);
		if (files.size === 0) {
			return;
		}
		const sorted = [...files.values()].sort((a, b) => a.toi - b.toi);
		const instance = this.#instanceOf(sorted);
		this.#fdtJobs += 1;
		this.#options.uplink.enqueue(
			{
				lane: 'signalling',
				destination: this.#options.destination,
				tsi: this.tsi,
				toi: 0,
				source: {kind: 'bytes', bytes: instance.body},
				// FEC id 0 in one block: the form that every FLUTE receiver reads.
				fec: toJobFec(fecGeometryOf(instance.body.length, {...this.#options.fec, encodingId: 0})),
				fdt: {instanceId: instance.id, version: 1},
				...(instance.gzip ? {contentEncoding: 'gzip' as const} : {}),
				senderTime: true,
			},
			() => {
				this.#fdtJobs -= 1;
			},
		);
	}

	#instanceOf(files: readonly FdtFile[]): Instance {
		const nowMs = this.#options.clock.nowMs();
		const {fdtLifeMs, md5, registry} = this.#options;
		const isSame =
			files.length === this.#described.length && files.every((file, index) => isSameFile(file, this.#described[index]));
		if (this.#instance !== undefined && isSame && nowMs < this.#instance.issuedMs + fdtLifeMs * renewRatio) {
			return this.#instance;
		}
		const plain = Buffer.from(writeFdt({files, md5, expiresMs: nowMs + fdtLifeMs, written: this.#written}));
		const packed = this.#options.gzip ? gzipSync(plain, {level: 6}) : plain;
		const gzip = packed.length < plain.length * 0.9;
		this.#described = files;
		this.#instance = {id: registry.nextInstanceId(this.tsi), body: gzip ? packed : plain, gzip, issuedMs: nowMs};
		return this.#instance;
	}

	#liveToi(key: string): number {
		const known = this.#liveTois.get(key);
		if (known !== undefined) {
			return known;
		}
		const toi = this.#options.registry.freshToi(this.tsi);
		this.#liveTois.set(key, toi);
		return toi;
	}

	/** Everything that decides which bytes a (TOI, SBN, ESI) stands for. */
	#keyOf(object: TransportObject): string {
		const {encodingId, symbolBytes, sourceBlockSymbolsMax} = this.#options.fec;
		return createHash('sha256')
			.update(
				JSON.stringify([
					object.contentLocation,
					object.sha256,
					object.transferLength,
					object.contentEncoding ?? '',
					encodingId,
					symbolBytes,
					sourceBlockSymbolsMax,
				]),
			)
			.digest('base64');
	}
}

const isSameFile = (a: FdtFile, b: FdtFile | undefined): boolean =>
	a === b ||
	(b !== undefined &&
		a.toi === b.toi &&
		a.object.freshUntilMs === b.object.freshUntilMs &&
		a.object.expiresMs === b.object.expiresMs &&
		a.object.priority === b.object.priority &&
		a.object.service === b.object.service &&
		a.object.contentType === b.object.contentType);

const toJobFec = ({encodingId, symbolBytes, sourceBlockSymbolsMax, repairSymbolsPerBlock}: FecGeometry) => ({
	encodingId,
	symbolBytes,
	sourceBlockSymbolsMax,
	repairSymbolsPerBlock,
});
