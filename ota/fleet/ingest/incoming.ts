import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {Reply} from '#appliance/contract/fleet/command-schema.ts';
import type {Presence} from '#appliance/contract/fleet/presence-schema.ts';
import type {Reported} from '#appliance/contract/fleet/reported-schema.ts';
import type {SpooledEvent, Telemetry} from '#appliance/contract/fleet/spool-schema.ts';

export type SpoolTopic = 'telemetry' | 'event';

/** One message of a box, parsed. */
export type Incoming =
	| {readonly kind: 'presence'; readonly box: DeviceId; readonly presence: Presence}
	| {readonly kind: 'reported'; readonly box: DeviceId; readonly reported: Reported}
	| {readonly kind: 'telemetry'; readonly box: DeviceId; readonly telemetry: Telemetry}
	| {readonly kind: 'event'; readonly box: DeviceId; readonly event: SpooledEvent}
	| {readonly kind: 'reply'; readonly box: DeviceId; readonly reply: Reply}
	/** Recorded, and passed over in its spool when it tells where it stood there: it would come again for ever. */
	| {
			readonly kind: 'malformed';
			readonly box: DeviceId;
			readonly topic: string;
			readonly reason: string;
			readonly place: SpoolPlace | undefined;
	  };

export type SpoolPlace = {
	readonly topic: SpoolTopic;
	readonly epoch: string;
	readonly sequence: number;
	/** The record that the box still keeps before this one; 0 when it keeps none. */
	readonly after: number;
};

/** Where a message stands in its box's spool, if it comes from there. */
export const spoolPlace = (incoming: Incoming): SpoolPlace | undefined => {
	switch (incoming.kind) {
		case 'telemetry': {
			const {epoch, sequence, after} = incoming.telemetry;
			return {topic: 'telemetry', epoch, sequence, after};
		}
		case 'event': {
			const {epoch, sequence, after} = incoming.event;
			return {topic: 'event', epoch, sequence, after};
		}
		case 'malformed':
			return incoming.place;
		case 'presence':
		case 'reported':
		case 'reply':
			return undefined;
	}
};
