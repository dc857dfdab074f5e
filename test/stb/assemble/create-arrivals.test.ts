import test from 'ava';
import {withAssembler} from '#test/helper/with-assembler.ts';

const uri = 'http://dvb.gw/streamverse/release/x';

test('of an arriving object the first run that is there is told, within what was asked', async (t) => {
	const {receiver, say, assembler} = await withAssembler(t);
	const object = receiver.object({contentLocation: uri});
	say({kind: 'appeared', object});
	receiver.setHoles(object.id, [
		{offset: 0, length: 100},
		{offset: 400, length: 200},
	]);
	say({kind: 'progress', id: object.id, receivedBytes: 400});
	const arriving = assembler.arrivals.find(uri);
	t.deepEqual(arriving?.heldRange?.({start: 0, end: 999}), {start: 100, end: 399});
	t.deepEqual(arriving?.heldRange?.({start: 350, end: 380}), {start: 350, end: 380});
	t.deepEqual(arriving?.heldRange?.({start: 400, end: 700}), {start: 600, end: 700});
	t.is(arriving?.heldRange?.({start: 420, end: 500}), undefined);
});
