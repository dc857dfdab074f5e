import type {ExecutionContext} from 'ava';
import {type FluteSendEvent, type FluteSender, type FluteSenderOptions, openFluteSender} from '#native/flute/sender.ts';

export type SenderAtWork = {readonly sender: FluteSender; readonly events: readonly FluteSendEvent[]};

/** A sender on loopback with one lane `main`, closed with the test. */
export const withFluteSender = (t: ExecutionContext, options: Partial<FluteSenderOptions> = {}): SenderAtWork => {
	const events: FluteSendEvent[] = [];
	const sender = openFluteSender({
		rateBps: 50_000_000,
		interfaceAddress: '127.0.0.1',
		lanes: [{name: 'main', level: 0, weight: 1}],
		onEvents: (batch) => {
			events.push(...batch);
		},
		...options,
	});
	t.teardown(() => sender.close());
	return {sender, events};
};
