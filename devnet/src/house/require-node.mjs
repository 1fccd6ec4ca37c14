// Runs on whatever Node there is, so it is plain JavaScript.
const wanted = 24;
if (Number.parseInt(process.versions.node, 10) < wanted) {
  process.stderr.write(
    `Bombyx needs Node ${wanted} and this is ${process.versions.node}: run \`npm ci\` here, which brings Node ${wanted} along, then use the npm scripts.\n`,
  );
  process.exit(1);
}
