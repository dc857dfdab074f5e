import {apiError} from '#ota/fleet/api/api-error.ts';
import type {DiagnosticsServerErrorCode} from '#ota/fleet/diagnostics/diagnostics-error.ts';
import type {RecordingSink} from '#ota/fleet/diagnostics/item-store.ts';
import {partKeyOf, storePart} from '#ota/fleet/diagnostics/store-part.ts';
import type {ObjectStore} from '#ota/fleet/object/object-store.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** A store of objects is asked less often than a disk. */
const flushMs = 2000;
/** Objects cannot grow: the last one is sent anew with what was added, until it is this large. */
const partBytesMin = 256 * 1024;

type Part = {readonly key: string; readonly startBytes: number; bytes: Buffer};

/** Invariant: this server alone writes this recording, so that nobody reads a part that becomes shorter. */
export const recordToObjects = (options: {
	readonly objects: ObjectStore;
	readonly database: FleetDatabase;
	readonly id: string;
}): RecordingSink => {
	const {objects, database, id} = options;
	let part: Part | undefined;
	let endBytes = 0;
	return {
		flushMs,
		append: async (text) => {
			part ??= {key: partKeyOf(id), startBytes: endBytes, bytes: Buffer.alloc(0)};
			const {key, startBytes} = part;
			const bytes = Buffer.concat([part.bytes, Buffer.from(text)]);
			// Before it is sent: what the store did not take now goes with what follows.
			part.bytes = bytes;
			if ((await storePart({objects, database}, {key, item: id, startBytes, bytes})) !== 'counted') {
				throw apiError<DiagnosticsServerErrorCode>('OTA_UPLOAD_OVER', {
					status: 410,
					message: 'This recording was deleted while it was written.',
				});
			}
			if (bytes.length >= partBytesMin) {
				endBytes = startBytes + bytes.length;
				part = undefined;
			}
		},
		[Symbol.asyncDispose]: () => Promise.resolve(),
	};
};
