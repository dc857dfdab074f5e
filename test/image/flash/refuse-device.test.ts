import test from 'ava';
import type {DeviceFacts, DeviceUse} from '#image/flash/device-facts.ts';
import {refusalOf} from '#image/flash/refuse-device.ts';

const imageBytes = 1000 * 512;
const stick: DeviceFacts = {
	...{path: '/dev/sdb', kind: 'disk', name: 'sdb', sizeBytes: 2 * imageBytes, logicalSectorBytes: 512},
	...{model: 'Stick', serial: 'S1', isReadOnly: false, isRemovable: true, uses: [], identity: 'S1', instance: 'S1'},
};

const isRefused = test.macro((t, facts: Partial<DeviceFacts>, code: string, why: RegExp) => {
	const refusal = refusalOf({...stick, ...facts}, imageBytes);
	t.like(refusal, {code});
	t.regex(refusal?.message ?? '', why);
});
const mountedAt = (at: string): {readonly uses: readonly DeviceUse[]} => ({uses: [{kind: 'mount', at}]});

test('a stick that nobody uses is not refused', (t) => t.is(refusalOf(stick, imageBytes), undefined));
for (const at of ['/', '/boot', '/boot/efi', '/usr', '/home', '/run/live/medium']) {
	test(`the disk with ${at} is the system’s`, isRefused, mountedAt(at), 'FLASH_SYSTEM_DISK', /runs from/u);
}
test(
	'the system’s disk is called so although it is mounted elsewhere first',
	isRefused,
	{
		uses: [
			{kind: 'mount', at: '/mnt'},
			{kind: 'mount', at: '/'},
		],
	},
	'FLASH_SYSTEM_DISK',
	/runs from/u,
);
test('a mounted disk', isRefused, mountedAt('/media/stick'), 'FLASH_DEVICE_IN_USE', /mounted at \/media\/stick/u);
test('a disk with swap', isRefused, {uses: [{kind: 'swap'}]}, 'FLASH_DEVICE_IN_USE', /swaps/u);
test(
	'a disk that something is made of',
	isRefused,
	{uses: [{kind: 'holder', name: 'vg-root'}]},
	'FLASH_DEVICE_IN_USE',
	/vg-root/u,
);
test('a partition', isRefused, {kind: 'partition'}, 'FLASH_DEVICE_UNFIT', /whole disk/u);
test('a write-protected disk', isRefused, {isReadOnly: true}, 'FLASH_DEVICE_UNFIT', /write-protected/u);
test('sectors of 4096 bytes', isRefused, {logicalSectorBytes: 4096}, 'FLASH_DEVICE_UNFIT', /sectors of 4096/u);
test('a reader without a card', isRefused, {sizeBytes: 0}, 'FLASH_DEVICE_UNFIT', /no disk/u);
test('a disk that is too small', isRefused, {sizeBytes: imageBytes - 512}, 'FLASH_DEVICE_SMALL', /too small/u);
