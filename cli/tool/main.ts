import {getAsset} from 'node:sea';
import {z} from 'zod';
import {registerCatalogueCommand} from '#cli/command/catalogue.ts';
import {registerConfigCommand} from '#cli/command/config.ts';
import {registerFlashCommand} from '#cli/command/flash.ts';
import {registerReleaseCommand} from '#cli/command/release.ts';
import {createProgram, runProgram} from '#cli/program.ts';

/**
 * The command line of a technician's laptop: those commands that need no checkout and no native addon, in one executable
 * (`streamverse tool build`).
 */
const {version} = z.object({version: z.string()}).parse(JSON.parse(getAsset('package.json', 'utf8')));

const program = createProgram({
	version,
	examples: '  # streamverse flash --list      # the disks that an image can be written to',
});

registerFlashCommand(program);
registerConfigCommand(program);
registerReleaseCommand(program);
registerCatalogueCommand(program);

// An executable of Node 24 begins with CommonJS, which cannot wait at its top.
void runProgram(program);
