import test, {type ExecutionContext} from 'ava';
import {createClient} from 'dbus-native';
import {openRaucBus} from '#ota/slot/rauc/rauc-bus.ts';
import {withMessageBus} from '#test/helper/with-message-bus.ts';

const raucName = 'de.pengutronix.rauc';
const timeoutMs = 30_000;
/** In RAUC's words, when a mount of somebody else's goes while it looks through them all. */
const loopGone = 'Error getting loop backing_file for /dev/loop7: No such file or directory';

/** A bus with a RAUC on it that answers the first questions with these errors, and how often it was asked. */
const withRaucOf = async (t: ExecutionContext, errors: readonly string[]) => {
	const address = await withMessageBus(t);
	const service = createClient({busAddress: address});
	t.teardown(() => {
		service.connection.end();
		service.connection.stream.destroy();
	});
	let asked = 0;
	service.setMethodCallHandler('/', `${raucName}.Installer`, 'GetPrimary', [
		() => {
			const error = errors[asked++];
			if (error !== undefined) {
				throw new Error(error);
			}
			return 'rootfs.1';
		},
		's',
	]);
	await service.requestName(raucName, 0);
	const bus = await openRaucBus({address, signal: AbortSignal.timeout(timeoutMs)});
	t.teardown(() => bus[Symbol.dispose]());
	return {bus, asked: () => asked};
};

test('a RAUC that stumbles over a loop device of somebody else is asked again', async (t) => {
	const {bus, asked} = await withRaucOf(t, [loopGone, loopGone]);
	t.is(await bus.primary(), 'rootfs.1');
	t.is(asked(), 3);
});

test('one that always does is asked five times, and its words are told', async (t) => {
	const {bus, asked} = await withRaucOf(
		t,
		Array.from({length: 9}, () => loopGone),
	);
	await t.throwsAsync(bus.primary(), {code: 'OTA_SLOT_UNREADABLE', message: /loop backing_file/u});
	t.is(asked(), 5);
});

test('another error is told at once', async (t) => {
	const {bus, asked} = await withRaucOf(t, ['no system.conf']);
	await t.throwsAsync(bus.primary(), {code: 'OTA_SLOT_UNREADABLE', message: /no system\.conf/u});
	t.is(asked(), 1);
});
