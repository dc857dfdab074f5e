import path from 'node:path';
import {type Command, Option} from 'commander';
import {stopSignal} from '#cli/stop-signal.ts';
import {type Architecture, architectures} from '#image/make/recipe.ts';
import {projectRoot} from '#native/project-root.ts';

type ToolFlags = {readonly arch: Architecture; readonly out: string; readonly release?: string};

export const registerToolCommand = (program: Command): void => {
	const tool = program.command('tool').summary('make the command line for a technician’s laptop');
	tool
		.command('build')
		.summary('make one executable with flash, release, config and catalogue')
		.description('Node with our commands inside: it needs no checkout and nothing from npm')
		.addOption(new Option('--arch <arch>', 'of the laptop').choices(architectures).default('amd64'))
		.option('--out <dir>', 'where the executable goes', path.join(projectRoot, 'build/tool'))
		.option('--release <version>', 'what it calls itself; default that of package.json')
		.addHelpText(
			'after',
			'\nExample:\n  $ ./streamverse tool build && sudo build/tool/streamverse-linux-amd64 flash --list',
		)
		.action(async ({arch, out, release}: ToolFlags) => {
			const {makeTool} = await import('#image/make/make-tool.ts');
			const {packageVersion} = await import('#image/make/build-image.ts');
			const {openImageCache} = await import('#image/make/image-cache.ts');
			const file = path.resolve(out, `streamverse-linux-${arch}`);
			await makeTool({
				...{architecture: arch, file, release: release ?? packageVersion()},
				cacheDirectory: await openImageCache(),
				entry: path.join(projectRoot, 'cli/tool/main.ts'),
				progress: (step, seconds) =>
					process.stderr.write(seconds === undefined ? `${step} …\n` : `${step}: done in ${seconds.toFixed(1)} s\n`),
				signal: stopSignal(),
			});
			process.stdout.write(`${file}\n`);
		});
};
