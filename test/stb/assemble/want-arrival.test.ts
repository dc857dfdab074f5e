import test from 'ava';
import type {FluteObject} from '#native/flute/receiver-event.ts';
import type {ArrivalFacts} from '#stb/assemble/describe-arrival.ts';
import {type CacheFacts, renewalOf, type WantDecision, wantArrival} from '#stb/assemble/want-arrival.ts';
import type {CachedObject} from '#stb/cache/cached-object.ts';

const facts = (overrides: Partial<ArrivalFacts> = {}): ArrivalFacts => ({
	object: {transferLength: 100} as FluteObject,
	...{kind: 'content', uri: 'http://dvb.gw/streamverse/a', encoding: 'identity', sizeBytes: 100, contentType: 'x'},
	...{priority: 'medium', sha256: 'aa', entityTag: undefined, expiresMs: 2000, freshUntilMs: undefined},
	...overrides,
});
const cache = (overrides: Partial<CacheFacts> = {}): CacheFacts => ({
	...{budgetBytes: 1000, usedBytes: 0, arrivingBytes: 0, cached: undefined, nowMs: 1000},
	...overrides,
});

const decides = test.macro<[ArrivalFacts, CacheFacts, WantDecision | 'wanted']>({
	exec: (t, object, state, decision) => {
		t.deepEqual(wantArrival(object, state), decision === 'wanted' ? {kind: 'wanted'} : decision);
	},
	title: (what) => `${what}`,
});

test('a new object is wanted', decides, facts(), cache(), 'wanted');
test('signalling is always wanted', decides, facts({kind: 'signalling', expiresMs: 0}), cache(), 'wanted');
test('an expired object is not', decides, facts({expiresMs: 1000}), cache(), {kind: 'skipped', reason: 'expired'});
test('one larger than the cache is not', decides, facts({sizeBytes: 1001}), cache(), {
	...{kind: 'skipped', reason: 'too-large'},
});
test('one that is cached is not', decides, facts(), cache({cached: {sha256: 'aa'}}), {
	...{kind: 'skipped', reason: 'cached'},
});
test('another version of a cached one is', decides, facts(), cache({cached: {sha256: 'bb'}}), 'wanted');
const renewal = (overrides: Partial<ArrivalFacts>, cached: Partial<CachedObject>) =>
	renewalOf(facts(overrides), {sha256: 'aa', ...cached}, 1000);
const listed = (extension: Record<string, string> = {}) => ({transferLength: 100, extension}) as unknown as FluteObject;

test('a manifest that is sent again to say that it still holds brings its dates without being received', (t) => {
	const object = listed();
	t.like(renewal({object, freshUntilMs: 1900}, {freshUntilMs: 1500}), {freshUntilMs: 1900});
	t.is(renewal({object, freshUntilMs: 1400}, {freshUntilMs: 1500}), undefined);
	t.is(renewal({object, freshUntilMs: 1900}, {sha256: 'bb', freshUntilMs: 1500}), undefined);
});

test('what is still listed is not to expire; a default that only moved on with the clock is not written', (t) => {
	t.like(renewal({object: listed(), expiresMs: 2000}, {expiresMs: 1700}), {expiresMs: 2000});
	t.is(renewal({object: listed(), expiresMs: 2000}, {expiresMs: 1900}), undefined);
	t.like(renewal({object: listed({expires: '1'}), expiresMs: 2000}, {expiresMs: 1999}), {expiresMs: 2000});
	t.is(renewal({object: listed({expires: '1'}), expiresMs: 2000}, {expiresMs: 2000}), undefined);
	t.is(renewal({object: listed({expires: '1'}), expiresMs: 2000}, {expiresMs: 2500}), undefined);
});
test('low priority needs free room', decides, facts({priority: 'low'}), cache({usedBytes: 600, arrivingBytes: 301}), {
	...{kind: 'skipped', reason: 'no-room'},
});
test('medium priority makes room', decides, facts(), cache({usedBytes: 1000}), 'wanted');
