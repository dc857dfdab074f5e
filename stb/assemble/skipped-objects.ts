import type {FluteObject} from '#native/flute/receiver-event.ts';

export type TransmissionKey = Pick<FluteObject, 'group' | 'port' | 'tsi' | 'toi'>;

export type SkippedObject = {
	readonly key: TransmissionKey;
	readonly uri: string;
	readonly sizeBytes: number;
	readonly reason: 'cached' | 'no-room' | 'failed';
	/** Not looked at again before, monotonic ms. */
	readonly afterMs: number;
	/** While it is in the cache, not asked about before, monotonic ms. */
	readonly askAfterMs: number;
};

/** Objects remembered at most: a full catalogue, and some. The oldest is forgotten, and then waits for its next TOI. */
const objectsMax = 200_000;
/** Looked at in one call, so that the loop of the process never waits for a whole catalogue. */
const lookedAtMax = 2000;

export type SkippedObjects = {
	remember(object: SkippedObject): void;
	/** A new transmission of the URI makes what is known of the last one worthless. */
	forget(uri: string): void;
	/** Takes out, of the next few, those that `wanted` says are to be received anew. */
	take(wanted: (object: SkippedObject) => boolean): readonly SkippedObject[];
};

/** The transmissions that the receiver ignores because of us: by URI, the newest each. */
export const createSkippedObjects = (): SkippedObjects => {
	const byUri = new Map<string, SkippedObject>();
	return {
		remember: (object) => {
			byUri.delete(object.uri);
			byUri.set(object.uri, object);
			const oldest = byUri.keys().next().value;
			if (byUri.size > objectsMax && oldest !== undefined) {
				byUri.delete(oldest);
			}
		},
		forget: (uri) => {
			byUri.delete(uri);
		},
		take: (wanted) => {
			const taken: SkippedObject[] = [];
			for (const object of [...byUri.values().take(lookedAtMax)]) {
				byUri.delete(object.uri);
				if (wanted(object)) {
					taken.push(object);
				} else {
					byUri.set(object.uri, object);
				}
			}
			return taken;
		},
	};
};
