import {createHash} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {FluteEvent, FluteObject, FluteRange} from '#native/flute/receiver-event.ts';

/**
 * Stands where the native receiver stands: notes what it is told, and says what a test has it say. Objects are whole or
 * have the holes that the test gives them.
 */
export class FakeReceiver {
	readonly dropped: number[] = [];
	readonly forgotten: string[] = [];
	readonly #directory: string;
	readonly #holes = new Map<number, readonly FluteRange[]>();
	readonly #lengths = new Map<number, number>();
	#nextId = 1;

	constructor(directory: string) {
		this.#directory = directory;
	}

	object(facts: Partial<FluteObject> & {readonly contentLocation: string}): FluteObject {
		const id = this.#nextId;
		this.#nextId += 1;
		const object = {
			...{id, group: '239.1.1.1', port: 5001, tsi: 1, toi: String(id), transferLength: 1000, expiresMs: 9e15},
			extension: {},
			path: join(this.#directory, `${id}.part`),
			...facts,
		};
		this.#lengths.set(id, object.transferLength);
		this.setHoles(id, [{offset: 0, length: object.transferLength}]);
		return object;
	}

	setHoles(id: number, holes: readonly FluteRange[]): void {
		this.#holes.set(id, holes);
	}

	/** The event of an object that has come whole, with its file in place. */
	complete(object: FluteObject, bytes: Buffer): FluteEvent {
		writeFileSync(object.path, bytes);
		this.setHoles(object.id, []);
		return {
			kind: 'complete',
			...{id: object.id, path: object.path, sizeBytes: bytes.length},
			sha256: createHash('sha256').update(bytes).digest('hex'),
			...{fecRecoveredBytes: 0, repairedBytes: 0},
		};
	}

	readonly missing = (id: number): readonly FluteRange[] => this.#holes.get(id) ?? [];

	readonly available = (id: number, {offset, length}: FluteRange): readonly FluteRange[] => {
		const ranges: FluteRange[] = [];
		let at = offset;
		const end = Math.min(offset + length, this.#lengths.get(id) ?? 0);
		for (const hole of [...this.missing(id), {offset: end, length: 0}]) {
			if (hole.offset > at) {
				ranges.push({offset: at, length: Math.min(hole.offset, end) - at});
			}
			at = Math.max(at, hole.offset + hole.length);
		}
		return ranges.filter((range) => range.length > 0 && range.offset < end);
	};

	readonly write = (): void => undefined;
	readonly drop = (id: number): void => {
		this.dropped.push(id);
	};
	readonly forget = ({toi}: {readonly toi: string}): void => {
		this.forgotten.push(toi);
	};
}
