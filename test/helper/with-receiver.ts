import type {ExecutionContext} from 'ava';
import {type FluteEndpoint, type FluteEvent, type FluteObject, openFluteReceiver} from '#native/flute/receiver.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

export type ReceivedObject = {readonly object: FluteObject; readonly path: string; readonly sha256: string};

export type TestReceiver = {
	readonly events: readonly FluteEvent[];
	/** What is complete, by Content-Location; the newest of each. */
	readonly complete: ReadonlyMap<string, ReceivedObject>;
	readonly appeared: ReadonlyMap<number, FluteObject>;
};

/** A FLUTE receiver on these endpoints that keeps all it hears. */
export const withReceiver = async (t: ExecutionContext, endpoints: readonly FluteEndpoint[]): Promise<TestReceiver> => {
	const directory = await withDirectory(t);
	const events: FluteEvent[] = [];
	const appeared = new Map<number, FluteObject>();
	const complete = new Map<string, ReceivedObject>();
	const receiver = openFluteReceiver({
		directory,
		endpoints,
		onEvents: (batch) => {
			for (const event of batch) {
				events.push(event);
				if (event.kind === 'appeared') {
					appeared.set(event.object.id, event.object);
				}
				const object = event.kind === 'complete' ? appeared.get(event.id) : undefined;
				if (event.kind === 'complete' && object !== undefined) {
					complete.set(object.contentLocation, {object, path: event.path, sha256: event.sha256});
				}
			}
		},
	});
	t.teardown(() => receiver.close());
	return {events, complete, appeared};
};
