import test from 'ava';
import fc from 'fast-check';
import {prioritySchema} from '#appliance/contract/catalogue-schema.ts';
import {compareForEviction, type EvictionCandidate, evictionRank, planEviction} from '#stb/cache/plan-eviction.ts';

const candidates = fc
	.array(
		fc.record({
			sizeBytes: fc.nat(1000),
			priority: fc.constantFrom(...prioritySchema.options),
			lastUsedMs: fc.nat(50),
		}),
		{maxLength: 40},
	)
	.map((list) =>
		list.map((candidate, index): EvictionCandidate => ({...candidate, uri: `u${index}`})).sort(compareForEviction),
	);
const need = fc.record({bytes: fc.nat(20_000), priority: fc.constantFrom(...prioritySchema.options)});

test('a plan frees enough, nothing that outranks the newcomer, no more than a prefix, and no step too many', (t) => {
	fc.assert(
		fc.property(need, candidates, (asked, list) => {
			const allowed = list.filter(({priority}) => evictionRank[priority] <= evictionRank[asked.priority]);
			const available = allowed.reduce((sum, {sizeBytes}) => sum + sizeBytes, 0);
			const plan = planEviction(asked, list);
			if (plan.kind === 'impossible') {
				return available < asked.bytes && plan.missingBytes === asked.bytes - available;
			}
			const chosen = list.slice(0, plan.uris.length);
			const freed = chosen.reduce((sum, {sizeBytes}) => sum + sizeBytes, 0);
			const last = chosen.at(-1)?.sizeBytes ?? 0;
			return (
				freed === plan.bytes &&
				freed >= asked.bytes &&
				(chosen.length === 0 || freed - last < asked.bytes) &&
				chosen.every(({uri}, index) => plan.uris[index] === uri) &&
				chosen.every(({priority}) => evictionRank[priority] <= evictionRank[asked.priority])
			);
		}),
	);
	t.pass();
});

test('a plan reads no further than it must', (t) => {
	const endless = function* endless(): Generator<EvictionCandidate> {
		for (let index = 0; ; index++) {
			yield {uri: `u${index}`, sizeBytes: 10, priority: 'low', lastUsedMs: index};
		}
	};
	t.deepEqual(planEviction({bytes: 25, priority: 'low'}, endless()), {
		kind: 'evict',
		uris: ['u0', 'u1', 'u2'],
		bytes: 30,
	});
	t.deepEqual(planEviction({bytes: 0, priority: 'low'}, endless()), {kind: 'evict', uris: [], bytes: 0});
});
