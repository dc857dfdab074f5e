import test from 'ava';
import {keepHeapSmall} from '#ota/fleet/keep-heap-small.ts';

const makeGarbage = (): WeakRef<object> => new WeakRef({box: 'box-1'});

test('what nobody holds is gone when a server is ready', async (t) => {
	const garbage = makeGarbage();
	// A WeakRef holds what it was made of until the end of the turn.
	await new Promise((resolve) => setImmediate(resolve));
	t.truthy(garbage.deref());
	await new Promise((resolve) => setImmediate(resolve));
	await keepHeapSmall();
	t.is(garbage.deref(), undefined);
});
