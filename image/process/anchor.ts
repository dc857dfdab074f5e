import path from 'node:path';
import {anchorPath} from '#image/process/box-units.ts';
import {keepAnchor} from '#image/seed/keep-anchor.ts';

/** The unit streamverse-anchor.service: a claim was brought on the page, and no anchor was kept yet. */
const stateDirectory = '/var/lib/streamverse';

await keepAnchor({
	...{anchorPath, seed: undefined},
	boxPath: path.join(stateDirectory, 'box.yaml'),
	claimPath: path.join(stateDirectory, 'claim.json'),
});
