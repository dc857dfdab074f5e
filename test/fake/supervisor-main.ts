import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {runSupervisor} from '#appliance/supervisor/run-supervisor.ts';

/** The real supervisor process, over the role that fails as told, with what an image has beside the box's file. */
const filePath = process.argv[2] ?? '';
const directory = path.dirname(filePath);

await runSupervisor({
	filePath,
	resetRequestFile: path.join(directory, 'factory-reset'),
	runDirectory: path.join(directory, 'run'),
	roleMainPath: () => fileURLToPath(new URL('role-main.ts', import.meta.url)),
});
