import {type StreamFrame, streamFrameSchema} from '#appliance/contract/fleet/stream-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {FrameChannel} from '#appliance/mqtt/fleet-link.ts';
import {channelsMax} from '#appliance/mqtt/link-limits.ts';
import type {RefusalTeller} from '#appliance/mqtt/refusal-teller.ts';

/**
 * The channels of terminals and logs. Frames are not kept while there is no connection: the two ends number and keep them
 * themselves (`resume`), because only they know what was consumed.
 */
export type StreamChannels = {
	readonly open: (streamId: string, onFrame: (frame: StreamFrame) => void) => FrameChannel;
	/** A payload of `stream/<id>/in`. */
	readonly take: (streamId: string, payload: string) => void;
};

export const createStreamChannels = (options: {
	readonly logger: Logger;
	readonly refusals: RefusalTeller;
	/** Drops the frame while there is no connection. */
	readonly publish: (streamId: string, frame: StreamFrame) => void;
}): StreamChannels => {
	const {logger, refusals, publish} = options;
	const channels = new Map<string, (frame: StreamFrame) => void>();
	return {
		open: (streamId, onFrame) => {
			if (channels.size >= channelsMax && !channels.has(streamId)) {
				logger.warn({streamId}, 'too many streams are open');
				return {send: () => undefined, [Symbol.dispose]: () => undefined};
			}
			channels.set(streamId, onFrame);
			return {
				send: (frame) => publish(streamId, frame),
				[Symbol.dispose]: () => {
					if (channels.get(streamId) === onFrame) {
						channels.delete(streamId);
					}
				},
			};
		},
		take: (streamId, payload) => {
			const frame = parse(payload);
			const onFrame = channels.get(streamId);
			if (frame === undefined) {
				logger.debug({streamId}, 'a malformed frame was dropped');
			} else if (onFrame !== undefined) {
				onFrame(frame);
			} else if (frame.kind !== 'close' && refusals.mayTell()) {
				const message = 'This box has no such stream; it may have been restarted.';
				publish(streamId, {kind: 'close', reason: {code: 'MQTT_STREAM_UNKNOWN', message}});
			}
		},
	};
};

const parse = (payload: string): StreamFrame | undefined => {
	try {
		return streamFrameSchema.parse(JSON.parse(payload));
	} catch {
		return undefined;
	}
};
