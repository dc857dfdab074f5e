import test from 'ava';
import {createRequestSlots} from '#stb/repair/request-slots.ts';

test('the most urgent waiter is next, equals in order, and who gives up is forgotten', async (t) => {
	const {signal} = new AbortController();
	const slots = createRequestSlots({slotsMax: 1});
	const first = await slots.acquire({rank: 5, signal});
	const order: string[] = [];
	const wait = async (name: string, rank: number): Promise<void> => {
		using _slot = await slots.acquire({rank, signal});
		order.push(name);
	};
	const gone = new AbortController();
	const refused = slots.acquire({rank: 0, signal: gone.signal});
	const waiting = [wait('low', 4), wait('live', 1), wait('low again', 4)];
	gone.abort(new Error('left'));
	await t.throwsAsync(refused, {message: 'left'});
	first[Symbol.dispose]();
	first[Symbol.dispose]();
	await Promise.all(waiting);
	t.deepEqual(order, ['live', 'low', 'low again']);
});
