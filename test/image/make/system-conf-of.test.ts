import test from 'ava';
import {boxKinds} from '#appliance/contract/box-schema.ts';
import {loadRecipe} from '#image/make/recipe.ts';
import {systemConfOf} from '#image/make/system-conf-of.ts';

/** `section/key` of GLib's key files, as RAUC reads them. */
const fieldsOf = (text: string): ReadonlyMap<string, string> => {
	let section = '';
	const fields = new Map<string, string>();
	for (const line of text.split('\n')) {
		section = /^\[(.*)\]$/u.exec(line)?.[1] ?? section;
		const [, key, value] = /^([\w-]+)=(.*)$/u.exec(line) ?? [];
		if (key !== undefined) {
			fields.set(`${section}/${key}`, value ?? '');
		}
	}
	return fields;
};

for (const kind of boxKinds) {
	test(`RAUC on a ${kind} takes its own kind’s bundles, and knows the slots that the disk has`, (t) => {
		const recipe = loadRecipe(kind, 'amd64');
		const fields = fieldsOf(systemConfOf(recipe, 'development'));
		t.is(fields.get('system/compatible'), recipe.compatible);
		t.is(fields.get('system/bootloader'), 'grub');
		t.is(fields.get('system/bundle-formats'), '-plain');
		t.is(fields.get('keyring/path'), '/etc/rauc/keyring.pem');
		const labels = recipe.partitions.map(({label}) => label);
		const devices = [...fields].filter(([name]) => name.endsWith('/device')).map(([, device]) => device);
		t.is(new Set(devices).size, 5);
		for (const device of devices) {
			t.true(labels.includes(device.replace('/dev/streamverse/', '')), device);
		}
		const [factory] = [...fields].find(([, device]) => device.endsWith('/rootfs-r')) ?? [''];
		t.is(fields.get(factory.replace('/device', '/readonly')), 'true', 'the factory’s slot is never written');
	});
}

test('a release image takes an intermediate as the end of a chain, a development image the root alone', (t) => {
	const recipe = loadRecipe('stb', 'amd64');
	t.is(fieldsOf(systemConfOf(recipe, 'release')).get('keyring/allow-partial-chain'), 'true');
	t.is(fieldsOf(systemConfOf(recipe, 'development')).get('keyring/allow-partial-chain'), undefined);
});
