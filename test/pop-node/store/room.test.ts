import test from 'ava';
import {createRoom} from '#pop-node/store/room.ts';

test('two downloads never count on the same room, and what a download holds is there again after it', async (t) => {
	let usedBytes = 40;
	const reserve = createRoom({
		budgetBytes: 100,
		usedBytes: () => usedBytes,
		evict: (rank) => {
			if (rank > 0 || usedBytes === 0) {
				return Promise.resolve(false);
			}
			usedBytes -= 20;
			return Promise.resolve(true);
		},
	});
	t.is(await reserve(101, 0), 'full');
	const first = await reserve(50, 1);
	t.is(usedBytes, 40, 'what fits throws nothing out');
	t.is(await reserve(20, 1), 'busy', 'there is room but for the first');
	const second = await reserve(20, 0);
	t.is(usedBytes, 20);
	t.is(await reserve(80, 0), 'busy');
	t.is(usedBytes, 20, 'what cannot fit beside the running ones throws nothing out');
	for (const room of [first, second]) {
		if (typeof room !== 'string') {
			room[Symbol.dispose]();
		}
	}
	t.is(typeof (await reserve(80, 1)), 'object');
	usedBytes = 30;
	t.is(await reserve(100, 1), 'busy');
});
