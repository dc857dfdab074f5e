import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {eventSchema, telemetrySchema} from '#appliance/contract/fleet/spool-schema.ts';
import type {IngestBatch} from '#ota/fleet/fleet-part.ts';

export const emptyIngest: IngestBatch = {presence: [], reported: [], telemetry: [], events: [], replies: []};

/** A record of telemetry, an event and a QoE report of each of these boxes; three numbers of its spool are used up. */
export const sampleIngest = (boxes: readonly string[], sequence: number, paddingBytes = 0): IngestBatch => ({
	...emptyIngest,
	telemetry: boxes.map((box) => ({
		box: deviceIdSchema.parse(box),
		telemetry: telemetrySchema.parse({
			version: 1,
			epoch: 'e1',
			sequence,
			after: sequence - 1,
			samples: [
				{atMs: sequence * 1000, values: {temperature_celsius: 40, [`x${'0'.repeat(Math.min(60, paddingBytes))}`]: 1}},
			],
		}),
	})),
	events: boxes.flatMap((box) =>
		[
			{kind: 'note', data: {number: sequence}},
			{kind: 'qoe', data: {startupMs: 900}},
		].map((event, index) => ({
			box: deviceIdSchema.parse(box),
			event: eventSchema.parse({
				version: 1,
				epoch: 'e1',
				sequence: 2 * sequence - 1 + index,
				after: 2 * sequence - 2 + index,
				atMs: sequence * 1000,
				severity: 'info',
				event,
			}),
		})),
	),
});
