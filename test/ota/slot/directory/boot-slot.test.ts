import {mkdir, readFile, readlink, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {currentPath, readBootRecord, recordPath, writeBootRecord} from '#ota/slot/directory/boot-record.ts';
import {bootSlot, noteExit} from '#ota/slot/directory/boot-slot.ts';
import {provisionSlots} from '#ota/slot/directory/directory-installer.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const fault = async (): Promise<void> => await Promise.resolve();

const onTrial = async (t: ExecutionContext): Promise<string> => {
	const root = await withDirectory(t);
	await provisionSlots({root, release: '1.0.0', signal: AbortSignal.timeout(5000)});
	await mkdir(join(root, 'slot-b'));
	const record = await readBootRecord(root);
	const trial = {state: 'trial' as const, triesLeft: 3, release: '2.0.0'};
	await writeBootRecord(root, {...record, primary: 'slot-b', slots: {...record.slots, 'slot-b': trial}}, {fault});
	return root;
};

test('a slot on trial is booted three times, then the old one, with the reason that somebody saw', async (t) => {
	const root = await onTrial(t);
	for (let boot = 0; boot < 3; boot += 1) {
		t.like(await bootSlot({root}), {slot: 'slot-b', release: '2.0.0'});
		t.is(await readlink(currentPath(root)), 'slot-b');
		await noteExit(root, {origin: 'watchdog', detail: `it fell silent ${boot}`});
	}
	t.like(await bootSlot({root}), {slot: 'slot-a', release: '1.0.0'});
	const {fallback, slots, primary} = await readBootRecord(root);
	t.is(primary, 'slot-a');
	t.is(slots['slot-b'].state, 'bad');
	t.is(fallback?.origin, 'watchdog');
	t.regex(fallback?.detail ?? '', /it fell silent 2/u);
	t.like(await bootSlot({root}), {slot: 'slot-a'});
});

test('a new slot that is not there falls back at once; with none that is, nothing is booted', async (t) => {
	const root = await onTrial(t);
	await rm(join(root, 'slot-b'), {recursive: true});
	t.like(await bootSlot({root}), {slot: 'slot-a'});
	await rm(join(root, 'slot-a'), {recursive: true});
	await t.throwsAsync(bootSlot({root}), {code: 'OTA_SLOT_UNBOOTABLE'});
});

const damage: Record<string, (text: string) => string> = {
	truncated: (text) => text.slice(0, 40),
	empty: () => '',
	zeroed: (text) => '\0'.repeat(text.length),
	'of another version': (text) => text.replace('"version":1', '"version":9'),
	'full of junk': () => '{"version":1,"primary":"slot-c"}',
};

for (const [what, bend] of Object.entries(damage)) {
	test(`a boot record that is ${what} boots what ran last`, async (t) => {
		const root = await onTrial(t);
		await bootSlot({root});
		t.is(await readlink(currentPath(root)), 'slot-b');
		await writeFile(recordPath(root), bend(await readFile(recordPath(root), 'utf8')));
		t.like(await bootSlot({root}), {slot: 'slot-b'});
	});
}
