// Loads a page's module, named by the data-page of its script, and says so if that or a module it needs can't be had.
const { page } = document.querySelector('script[data-page]').dataset;

import(new URL(page, document.baseURI).href).catch((error) => {
  const message = document.createElement('p');
  message.className = 'error';
  message.setAttribute('role', 'alert');
  message.textContent = `This page could not be loaded. ${error.message}`;
  document.querySelector('main').before(message);
  console.error(error);
});
