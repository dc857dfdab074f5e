import {readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {type BoxKind, boxKinds} from '#appliance/contract/box-schema.ts';
import {
	type Architecture,
	architectures,
	imageDirectory,
	kindsFor,
	loadRecipe,
	rootfsHash,
} from '#image/make/recipe.ts';

const made: readonly (readonly [BoxKind, Architecture])[] = [
	['headend', 'amd64'],
	['pop-node', 'amd64'],
	['stb', 'amd64'],
	['stb', 'arm64'],
];

const isMade = (kind: BoxKind, architecture: Architecture): boolean =>
	made.some(([madeKind, madeArchitecture]) => madeKind === kind && madeArchitecture === architecture);

const combinations = boxKinds.flatMap((kind) => architectures.map((architecture) => [kind, architecture] as const));

for (const [kind, architecture] of combinations) {
	if (isMade(kind, architecture)) {
		test(`there is an image of a ${kind} for ${architecture}, of its own kernel and file`, (t) => {
			const recipe = loadRecipe(kind, architecture);
			t.is(recipe.compatible, `streamverse-${kind}-${architecture}`);
			t.true(recipe.packages.includes(`linux-image-${architecture}`));
			t.regex(recipe.kernelArguments, architecture === 'arm64' ? / console=ttyAMA0,/u : / console=ttyS0,/u);
			t.false(
				recipe.packages.some((name) => /[^a-z0-9.+-]/u.test(name)),
				'a name is no name of Debian’s',
			);
			t.deepEqual(recipe.packages, [...new Set(recipe.packages)].sort(), 'a package is named twice');
			t.is(recipe.packages.includes('nginx-light'), kind === 'stb');
			t.like(recipe.boxFile, {
				version: 1,
				box: {kind, stateDirectory: '/var/lib/streamverse/state'},
				fleet: {compatible: recipe.compatible, model: recipe.compatible},
			});
			t.deepEqual(
				recipe.overlays.map((overlay) => path.relative(imageDirectory, overlay)),
				['profile/base/overlay', `profile/${kind}/overlay`],
			);
		});
	} else {
		test(`there is none of a ${kind} for ${architecture}, which is told with those that there are`, (t) => {
			t.throws(() => loadRecipe(kind, architecture), {code: 'IMAGE_RECIPE_INVALID', message: /there is amd64/u});
		});
	}
}

test('the kinds that there are images of are told by architecture', (t) => {
	t.deepEqual(kindsFor('amd64'), boxKinds);
	t.deepEqual(kindsFor('arm64'), ['stb']);
});

test('a kind or an architecture that nobody knows is told as well', (t) => {
	t.throws(() => loadRecipe('toaster' as BoxKind, 'amd64'), {code: 'IMAGE_RECIPE_INVALID'});
	t.throws(() => loadRecipe('stb', 'riscv64' as Architecture), {code: 'IMAGE_RECIPE_INVALID'});
});

test('a tarball of packages is shared by those recipes alone that have the same packages', (t) => {
	const hash = (kind: BoxKind, architecture: Architecture): string => rootfsHash(loadRecipe(kind, architecture));
	t.is(hash('headend', 'amd64'), hash('pop-node', 'amd64'));
	t.is(new Set([hash('headend', 'amd64'), hash('stb', 'amd64'), hash('stb', 'arm64')]).size, 3);
	const recipe = loadRecipe('stb', 'amd64');
	t.not(rootfsHash({...recipe, suite: 'sid'}), rootfsHash(recipe));
	t.regex(rootfsHash(recipe), /^[0-9a-f]{16}$/u);
});

test('each slot has a partition for its kernel and one for its root, all alike, and data comes last', (t) => {
	const {partitions} = loadRecipe('stb', 'amd64');
	t.deepEqual(
		partitions.map(({label}) => label),
		['esp', 'boot-a', 'boot-b', 'boot-r', 'rootfs-a', 'rootfs-b', 'rootfs-r', 'data'],
	);
	for (const name of ['boot', 'rootfs']) {
		const alike = partitions.filter(({label}) => label.startsWith(`${name}-`));
		t.is(new Set(alike.map(({megabytes, type}) => `${megabytes} ${type}`)).size, 1);
		t.deepEqual(
			alike.map(({content}) => content),
			[`${name}.img`, undefined, `${name}.img`],
			'A and R hold the image, B nothing yet',
		);
	}
});

test('the boot loader’s script names the partitions by their numbers', (t) => {
	const {partitions} = loadRecipe('stb', 'amd64');
	const script = readFileSync(path.join(imageDirectory, 'boot/grub.cfg'), 'utf8');
	const numbers = [...script.matchAll(/part=gpt(\d+)/gu)].map(([, number]) => Number(number));
	t.deepEqual(
		numbers.map((number) => partitions[number - 1]?.label),
		['boot-a', 'boot-b', 'boot-r'],
	);
});
