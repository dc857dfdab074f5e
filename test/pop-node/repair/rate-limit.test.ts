import test from 'ava';
import fc from 'fast-check';
import {addressGroup, createRateLimit} from '#pop-node/repair/rate-limit.ts';

const withClock = () => {
	const clock = {ms: 0, monotonicMs: () => clock.ms};
	return clock;
};

test('a burst passes, then one request per earned token, each client for itself', (t) => {
	const clock = withClock();
	const limit = createRateLimit({requestsPerSecond: 10, requestsBurst: 3, clientsMax: 10, clock});
	t.deepEqual(
		[1, 2, 3, 4].map(() => limit.take('10.0.0.1')),
		[0, 0, 0, 100],
	);
	t.is(limit.take('10.0.0.2'), 0);
	clock.ms = 100;
	t.is(limit.take('10.0.0.1'), 0);
	t.is(limit.take('10.0.0.1'), 100);
});

test('over any time nobody gets more than burst plus rate', (t) => {
	fc.assert(
		fc.property(fc.array(fc.integer({min: 0, max: 400}), {maxLength: 200}), (gapsMs) => {
			const clock = withClock();
			const limit = createRateLimit({requestsPerSecond: 5, requestsBurst: 7, clientsMax: 10, clock});
			let allowed = 0;
			for (const gapMs of gapsMs) {
				clock.ms += gapMs;
				allowed += limit.take('a') === 0 ? 1 : 0;
			}
			t.true(allowed <= 7 + (clock.ms / 1000) * 5 + 1e-6);
		}),
		{seed: 1},
	);
});

test('the number of clients remembered is bounded, the longest silent goes first', (t) => {
	const clock = withClock();
	const limit = createRateLimit({requestsPerSecond: 1, requestsBurst: 1, clientsMax: 100, clock});
	for (let index = 0; index < 1000; index += 1) {
		limit.take(`10.0.${index >> 8}.${index & 255}`);
		limit.take('192.0.2.1');
	}
	t.is(limit.clients(), 100);
	t.true(limit.take('192.0.2.1') > 0);
});

test('a household is one client: its IPv4 address or its IPv6 /64', (t) => {
	t.is(addressGroup('::ffff:192.0.2.1'), '192.0.2.1');
	t.is(addressGroup('2001:db8:1:2:3:4:5:6'), addressGroup('2001:db8:1:2:ffff::1'));
	t.is(addressGroup('2001:db8::1'), '2001:db8:0:0');
	t.not(addressGroup('2001:db8:1:2::1'), addressGroup('2001:db8:1:3::1'));
});
