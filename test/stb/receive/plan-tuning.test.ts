import test from 'ava';
import {endpointsMax, gatherEndpoints, planTuning} from '#stb/receive/plan-tuning.ts';

const at = (port: number, tsi?: number, source?: string) => ({
	endpoint: {group: '239.1.1.1', port, ...(tsi === undefined ? {} : {tsi}), ...(source === undefined ? {} : {source})},
});

test('sessions of one endpoint share a join; one without a TSI opens it to all', (t) => {
	t.deepEqual(
		gatherEndpoints([at(1, 2), at(1, 1), at(1, 2), at(2), at(2, 7)]).map(({port, tsis}) => [port, tsis]),
		[
			[1, [1, 2]],
			[2, undefined],
		],
	);
});

test('a source of its own is an endpoint of its own', (t) => {
	t.is(gatherEndpoints([at(1, 1), at(1, 1, '10.0.0.1')]).length, 2);
});

test('more endpoints than a box can join are left out', (t) => {
	t.is(gatherEndpoints(Array.from({length: 1000}, (_, port) => at(port + 1))).length, endpointsMax);
});

test('what is no longer listed is left, what is new or has new sessions is joined', (t) => {
	const current = gatherEndpoints([at(1, 0), at(2, 1), at(3)]);
	const wanted = gatherEndpoints([at(1, 0), at(2, 1), at(2, 2), at(4)]);
	t.deepEqual(
		planTuning(current, wanted).map(({kind, endpoint}) => [kind, endpoint.port]),
		[
			['leave', 3],
			['join', 2],
			['join', 4],
		],
	);
	t.deepEqual(planTuning(wanted, wanted), []);
});
