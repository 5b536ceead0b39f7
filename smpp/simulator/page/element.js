// One DOM node; content is text or nodes, never markup.

export function element(name, attributes = {}, content = []) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...(Array.isArray(content) ? content : [content]));
  return node;
}
