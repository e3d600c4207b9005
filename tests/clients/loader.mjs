// Does what a bundler does for shipstation-node: its files are ES modules that neither say so nor name file endings.
const ENDINGS = ['.js', '/index.js'];

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!specifier.startsWith('.')) throw error;
    for (const ending of ENDINGS) {
      try {
        return await next(specifier + ending, context);
      } catch {
        // the other ending, then
      }
    }
    throw error;
  }
}

export function load(url, context, next) {
  return next(url, url.includes('/shipstation-node/') ? { ...context, format: 'module' } : context);
}
