import test from 'ava';
import {fleetConfigSchema} from '#appliance/config/fleet-config-schema.ts';
import {sampleIntervalMsMax} from '#appliance/contract/fleet/sample-interval.ts';

test('a box measures itself often enough for the fleet to hear that it is there', (t) => {
	const {sampleIntervalMs} = fleetConfigSchema.parse({});
	t.true(sampleIntervalMs <= sampleIntervalMsMax);
	t.true(fleetConfigSchema.safeParse({sampleIntervalMs: sampleIntervalMsMax}).success);
	t.false(fleetConfigSchema.safeParse({sampleIntervalMs: sampleIntervalMsMax + 1}).success);
});
